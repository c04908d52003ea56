//! Bars for what a workload is mainly about.

use std::cmp::Reverse;

use anyhow::{Result, anyhow};
use plotters::prelude::{
    ChartBuilder, Color, IntoDrawingArea, IntoFont, IntoSegmentedCoord, IntoTextStyle, RGBColor,
    Rectangle, SVGBackend, SegmentValue, Text, WHITE,
};
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::figures::{Metric, Spread, rounded};
use crate::report::{Report, Row};
use crate::workloads::Workload;

/// One case, a bar for each contestant.
pub(super) struct Chart {
    pub(super) name: String,
    pub(super) database: String,
    pub(super) workload: Workload,
    case: String,
    bars: Vec<(String, Spread)>,
}

const OURS: RGBColor = RGBColor(0x1f, 0x6f, 0xb2);
const THEIRS: RGBColor = RGBColor(0x9a, 0xa5, 0xb1);
const WIDTH: u32 = 760;
/// Pixels for each bar, and for what is above and below all of them.
const STEP: u32 = 30;
const FRAME: u32 = 84;

/// The charts of a report: of each workload the case that [`Workload::is_shown`] names, or, where none of
/// them was run, the one that most contestants were measured in.
pub(super) fn charts(report: &Report) -> Vec<Chart> {
    let mut charts: Vec<Chart> = Vec::new();
    for row in &report.rows {
        let metric = main_metric(row.workload);
        let Some(spread) = row.summary.figures.get(&metric) else { continue };
        let bar = (row.contestant.clone(), *spread);
        match charts.last_mut().filter(|chart| chart.is_of(row)) {
            Some(chart) => chart.bars.push(bar),
            None => charts.push(Chart {
                name: format!("{}-{:?}", row.database, row.workload).to_lowercase(),
                database: row.database.clone(),
                workload: row.workload,
                case: row.case.clone(),
                bars: vec![bar],
            }),
        }
    }
    charts.retain(|chart| chart.bars.len() >= 2);
    // Stable: of those with as many bars, the first one remains the first.
    charts.sort_by_key(|chart| Reverse(chart.bars.len()));
    let mut chosen: Vec<Chart> = Vec::new();
    for chart in charts {
        let is_shown = chart.workload.is_shown(&chart.case);
        match chosen.iter_mut().find(|other| other.name == chart.name) {
            None => chosen.push(chart),
            Some(other) if is_shown && !other.workload.is_shown(&other.case) => *other = chart,
            Some(_) => {}
        }
    }
    chosen
}

/// What a workload is mainly about.
pub(super) fn main_metric(workload: Workload) -> Metric {
    match workload {
        Workload::Latency => Metric::P50Ms,
        Workload::Held => Metric::P99Ms,
        Workload::Idle => Metric::TransactionsPerSecond,
        Workload::Backlog => Metric::PerSecondFromTheFirst,
        _ => Metric::PerSecond,
    }
}

impl Chart {
    fn is_of(&self, row: &Row) -> bool {
        (&self.database, self.workload, &self.case) == (&row.database, row.workload, &row.case)
    }

    fn title(&self) -> String {
        format!("{}, {}: {}", self.database, self.case, main_metric(self.workload).title())
    }

    /// The picture: the best on top.
    pub(super) fn svg(&self) -> Result<String> {
        let mut bars = self.bars.clone();
        bars.sort_by(|(_, a), (_, b)| a.median.total_cmp(&b.median));
        if !main_metric(self.workload).more_is_better() {
            bars.reverse();
        }
        let mut svg = String::new();
        self.draw(&bars, &mut svg)
            .map_err(|error| anyhow!("cannot draw {}: {error}", self.name))?;
        Ok(svg)
    }

    fn draw(
        &self,
        bars: &[(String, Spread)],
        svg: &mut String,
    ) -> Result<(), Box<dyn std::error::Error>> {
        let count = i32::try_from(bars.len())?;
        let longest = bars.iter().map(|(_, bar)| bar.median).fold(f64::MIN_POSITIVE, f64::max);
        let size = (WIDTH, FRAME + STEP * count.unsigned_abs());
        let area = SVGBackend::with_string(svg, size).into_drawing_area();
        area.fill(&WHITE)?;
        let mut chart = ChartBuilder::on(&area)
            .caption(self.title(), ("sans-serif", 17).into_font())
            .margin(10)
            .x_label_area_size(26)
            .y_label_area_size(130)
            // Room for the figures beside the bars.
            .build_cartesian_2d(0.0..longest * 1.35, (0..count - 1).into_segmented())?;
        let name = |place: &SegmentValue<i32>| match place {
            SegmentValue::CenterOf(place) => usize::try_from(*place)
                .ok()
                .and_then(|place| bars.get(place))
                .map_or_else(String::new, |(name, _)| name.clone()),
            SegmentValue::Exact(_) | SegmentValue::Last => String::new(),
        };
        chart
            .configure_mesh()
            .disable_y_mesh()
            .light_line_style(WHITE)
            .y_labels(bars.len() + 1)
            .y_label_formatter(&name)
            .x_label_formatter(&|value| rounded(*value))
            .label_style(("sans-serif", 13))
            .draw()?;
        for (place, (name, spread)) in (0..).zip(bars) {
            let corners = [
                (0.0, SegmentValue::Exact(place)),
                (spread.median, SegmentValue::Exact(place + 1)),
            ];
            let color = if name == "outbox" { OURS } else { THEIRS };
            let mut bar = Rectangle::new(corners, color.filled());
            bar.set_margin(5, 5, 0, 0);
            chart.draw_series([bar])?;
            let beside = (spread.median + longest * 0.01, SegmentValue::CenterOf(place));
            let style = ("sans-serif", 12).into_text_style(&area);
            let style = style.pos(Pos::new(HPos::Left, VPos::Center));
            let figures = Text::new(spread.to_string(), beside, style);
            chart.draw_series([figures])?;
        }
        area.present()?;
        Ok(())
    }
}
