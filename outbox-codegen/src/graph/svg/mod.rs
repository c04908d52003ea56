//! Our own picture: columns of handlers, events and consumers, legible on light and dark pages.

mod layout;
mod order;
mod text;

use self::layout::{Boxed, Frame, Layout, Point};
use super::{Graph, Kind};

/// Its selectors begin with the picture's class, so that it does not reach into a page that holds it.
const STYLE: &str = include_str!("style.css");

/// The graph as an SVG image.
///
/// It needs no script and no other file. Its width is written for the widest common fonts, so that what
/// is in a box stays in it. It follows the reader's light or dark scheme where the page or the image
/// viewer does. (Some pages, such as GitHub's, have a setting of their own; the image has a background
/// of its own and stays legible there.)
#[must_use]
pub fn svg(graph: &Graph) -> String {
    let layout = layout::of(graph);
    let (width, height) = (layout.width, layout.height);
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"outbox-graph\" \
         role=\"graphics-document\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
         height=\"{height}\">\n<title>{}</title>\n<style>\n{STYLE}</style>\n\
         <rect class=\"page\" width=\"{width}\" height=\"{height}\" rx=\"12\"/>\n",
        escaped(&format!("{}: events, what emits them, what consumes them", graph.name))
    );
    text.extend(layout.frames.iter().map(frame));
    text.extend(layout.headings.iter().map(|(at, heading)| {
        format!("<text class=\"heading\" x=\"{}\" y=\"{}\">{heading}</text>\n", at.x, at.y)
    }));
    text.push_str(&edges(&layout));
    for (node, boxed) in graph.nodes.iter().zip(&layout.boxes) {
        let kind = match node.kind {
            Kind::Handler => "handler",
            Kind::Event => "event",
            Kind::Consumer => "consumer",
        };
        let class = if node.dimmed { format!("{kind} dimmed") } else { kind.to_owned() };
        text.push_str(&format!(
            "<g class=\"{class}\" role=\"graphics-symbol\">\n<title>{}</title>\n{}</g>\n",
            escaped(&node.title),
            boxed_text(boxed)
        ));
    }
    text.push_str("</svg>\n");
    text
}

fn frame(frame: &Frame) -> String {
    let Frame { at, width, height, label } = frame;
    format!(
        "<g class=\"frame\">\n<rect x=\"{}\" y=\"{}\" width=\"{width}\" height=\"{height}\" \
         rx=\"10\"/>\n<text x=\"{}\" y=\"{}\">{}</text>\n</g>\n",
        at.x,
        at.y,
        at.x + layout::FRAME_PAD,
        at.y + layout::FRAME_BASELINE,
        escaped(label)
    )
}

fn edges(layout: &Layout) -> String {
    let mut text = "<g class=\"edges\" aria-hidden=\"true\">\n".to_owned();
    for (from, to) in &layout.edges {
        text.push_str(&edge(*from, *to));
    }
    text.push_str("</g>\n");
    text
}

/// A curve that leaves and arrives horizontally, and the head of an arrow.
fn edge(from: Point, to: Point) -> String {
    const HEAD: i32 = 7;
    const HALF: i32 = 4;
    let (end, middle) = (to.x - HEAD + 1, i32::midpoint(from.x, to.x));
    format!(
        "<path d=\"M{} {} C{middle} {} {middle} {} {end} {}\"/>\n\
         <path class=\"head\" d=\"M{} {} l-{HEAD} -{HALF} v{} z\"/>\n",
        from.x,
        from.y,
        from.y,
        to.y,
        to.y,
        to.x,
        to.y,
        2 * HALF
    )
}

fn boxed_text(boxed: &Boxed) -> String {
    let Boxed { at, width, height, name, detail } = boxed;
    let mut text = format!(
        "<rect x=\"{}\" y=\"{}\" width=\"{width}\" height=\"{height}\" rx=\"7\"/>\n",
        at.x, at.y
    );
    let mut y = at.y + layout::PAD_Y;
    let lines = name.iter().map(|line| (line, "name", text::NAME));
    for (line, class, font) in lines.chain(detail.iter().map(|line| (line, "detail", text::DETAIL)))
    {
        y += font.line;
        text.push_str(&format!(
            "<text class=\"{class}\" x=\"{}\" y=\"{}\">{}</text>\n",
            at.x + layout::PAD_X,
            y - font.below,
            escaped(line)
        ));
    }
    text
}

/// XML has no way to write most control characters.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            c if c.is_control() => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}
