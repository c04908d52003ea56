//! Where everything is, in pixels.

use super::order::{Block, blocks};
use super::text::{DETAIL, NAME, width, wrap};
use crate::graph::{Graph, Kind, Node};

pub(super) const PAD_X: i32 = 12;
pub(super) const PAD_Y: i32 = 8;
pub(super) const FRAME_PAD: i32 = 16;
pub(super) const FRAME_BASELINE: i32 = 22;

const MARGIN: i32 = 24;
const HEADING: i32 = 26;
const FRAME_HEAD: i32 = 34;
const FRAME_GAP: i32 = 18;
/// Between the boxes of a block, and between blocks.
const GAP: i32 = 10;
const BLOCK_GAP: i32 = 20;
const COLUMN_GAP: i32 = 88;
const NARROWEST: i32 = 120;
const WIDEST_TEXT: i32 = 230;

const COLUMNS: [(Kind, &str); 3] =
    [(Kind::Handler, "HANDLERS"), (Kind::Event, "EVENTS"), (Kind::Consumer, "CONSUMERS")];

/// Everything that is drawn.
pub(super) struct Layout {
    pub(super) width: i32,
    pub(super) height: i32,
    pub(super) headings: Vec<(Point, &'static str)>,
    pub(super) frames: Vec<Frame>,
    /// One for each node of the graph, in its order.
    pub(super) boxes: Vec<Boxed>,
    /// From the right side of a box to the left side of another.
    pub(super) edges: Vec<(Point, Point)>,
}

#[derive(Clone, Copy, Default)]
pub(super) struct Point {
    pub(super) x: i32,
    pub(super) y: i32,
}

/// A node with its text.
#[derive(Default)]
pub(super) struct Boxed {
    pub(super) at: Point,
    pub(super) width: i32,
    pub(super) height: i32,
    pub(super) name: Vec<String>,
    pub(super) detail: Vec<String>,
}

/// What a registry lists.
pub(super) struct Frame {
    pub(super) at: Point,
    pub(super) width: i32,
    pub(super) height: i32,
    pub(super) label: String,
}

pub(super) fn of(graph: &Graph) -> Layout {
    let mut boxes: Vec<Boxed> = graph.nodes.iter().map(unplaced).collect();
    let left = if graph.has_frames() { MARGIN + FRAME_PAD } else { MARGIN };
    let (headings, right) = columns(graph, &mut boxes, left);
    let mut frames = Vec::new();
    let bottom = rows(graph, &mut boxes, &mut frames);
    let right = frames
        .iter()
        .fold(right, |right, frame| right.max(left + FRAME_PAD + width(&frame.label, NAME)));
    frames.iter_mut().for_each(|frame| frame.width = right - left + 2 * FRAME_PAD);
    let edges = graph.edges.iter().map(|edge| ends(&boxes[edge.from], &boxes[edge.to])).collect();
    Layout { width: right + left, height: bottom + MARGIN, headings, frames, boxes, edges }
}

fn unplaced(node: &Node) -> Boxed {
    let name = wrap(&node.name, NAME, WIDEST_TEXT);
    let detail = wrap(&node.detail, DETAIL, WIDEST_TEXT);
    let names = name.iter().map(|line| width(line, NAME));
    let details = detail.iter().map(|line| width(line, DETAIL));
    let widest = names.chain(details).max().unwrap_or_default();
    let lines = name.len() as i32 * NAME.line + detail.len() as i32 * DETAIL.line;
    Boxed {
        at: Point::default(),
        width: (widest + 2 * PAD_X).max(NARROWEST),
        height: lines + 2 * PAD_Y,
        name,
        detail,
    }
}

/// Gives all boxes of a kind one width and one place from left to right. A kind that has none takes no
/// room.
fn columns(graph: &Graph, boxes: &mut [Boxed], left: i32) -> (Vec<(Point, &'static str)>, i32) {
    let (mut headings, mut x) = (Vec::new(), left);
    for (kind, heading) in COLUMNS {
        let of_kind = |index: &usize| graph.nodes[*index].kind == kind;
        let members: Vec<usize> = (0..boxes.len()).filter(of_kind).collect();
        let Some(widest) = members.iter().map(|index| boxes[*index].width).max() else { continue };
        if !headings.is_empty() {
            x += COLUMN_GAP;
        }
        headings.push((Point { x, y: MARGIN + NAME.line - NAME.below - 2 }, heading));
        for index in members {
            boxes[index].at.x = x;
            boxes[index].width = widest;
        }
        x += widest;
    }
    (headings, x.max(left + NARROWEST))
}

/// Gives all boxes their place from top to bottom; returns where the last one ends.
fn rows(graph: &Graph, boxes: &mut [Boxed], frames: &mut Vec<Frame>) -> i32 {
    let blocks = blocks(graph);
    let mut y = MARGIN + HEADING;
    for (index, registry) in graph.registries.iter().enumerate() {
        let top = y;
        if graph.has_frames() {
            y += FRAME_HEAD;
        }
        let own = blocks.iter().filter(|block| block.registry == index);
        for (nth, block) in own.enumerate() {
            if nth > 0 {
                y += BLOCK_GAP;
            }
            y += place(block, boxes, y);
        }
        if graph.has_frames() {
            y += FRAME_PAD;
            let at = Point { x: MARGIN, y: top };
            frames.push(Frame { at, width: 0, height: y - top, label: registry.clone() });
            y += FRAME_GAP;
        }
    }
    if graph.has_frames() { y - FRAME_GAP } else { y }
}

/// Places a block at `top`, its columns centred on one another; returns its height.
fn place(block: &Block, boxes: &mut [Boxed], top: i32) -> i32 {
    let event: Vec<usize> = block.event.into_iter().collect();
    let columns = [&block.handlers, &event, &block.consumers];
    let heights = columns.map(|column| height(column, boxes));
    let tallest = heights.into_iter().max().unwrap_or_default();
    for (column, height) in columns.into_iter().zip(heights) {
        let mut y = top + (tallest - height) / 2;
        for index in column {
            boxes[*index].at.y = y;
            y += boxes[*index].height + GAP;
        }
    }
    tallest
}

fn height(column: &[usize], boxes: &[Boxed]) -> i32 {
    let boxed: i32 = column.iter().map(|index| boxes[*index].height).sum();
    boxed + GAP * (column.len() as i32 - 1).max(0)
}

fn ends(from: &Boxed, to: &Boxed) -> (Point, Point) {
    let middle = |boxed: &Boxed| boxed.at.y + boxed.height / 2;
    (Point { x: from.at.x + from.width, y: middle(from) }, Point { x: to.at.x, y: middle(to) })
}
