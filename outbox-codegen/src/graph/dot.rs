//! DOT, the language of Graphviz.

use super::{Graph, Kind, Node};

const STYLE: &str = "  rankdir=LR; newrank=true; bgcolor=white; nodesep=0.2; ranksep=0.9;\n  \
     fontname=\"Helvetica\"; fontsize=12; fontcolor=\"#475569\";\n  \
     node [shape=box, style=\"rounded,filled\", fontname=\"Helvetica\", fontsize=12];\n  \
     edge [color=\"#94a3b8\", arrowsize=0.7];\n";

/// The graph in DOT, from left to right.
#[must_use]
pub fn dot(graph: &Graph) -> String {
    let mut text = format!("digraph {} {{\n{STYLE}", quoted(&graph.name));
    for (index, registry) in graph.registries.iter().enumerate() {
        let indent = if graph.has_frames() { "    " } else { "  " };
        if graph.has_frames() {
            text.push_str(&format!(
                "  subgraph cluster_{index} {{\n    label={}; labeljust=l; style=rounded; \
                 color=\"#cbd5e1\";\n",
                quoted(registry)
            ));
        }
        for (node, about) in graph.listed_by(index) {
            text.push_str(&format!("{indent}n{node} {};\n", attributes(about)));
        }
        if graph.has_frames() {
            text.push_str("  }\n");
        }
    }
    for kind in [Kind::Handler, Kind::Event, Kind::Consumer] {
        let column = graph.nodes.iter().enumerate().filter(|(_, node)| node.kind == kind);
        let column: Vec<String> = column.map(|(index, _)| format!("n{index};")).collect();
        if !column.is_empty() {
            text.push_str(&format!("  {{ rank=same; {} }}\n", column.join(" ")));
        }
    }
    for edge in &graph.edges {
        text.push_str(&format!("  n{} -> n{};\n", edge.from, edge.to));
    }
    text.push_str("}\n");
    text
}

fn attributes(node: &Node) -> String {
    let (fill, line, letters) = match node.kind {
        _ if node.dimmed => ("#f1f5f9", "#94a3b8", "#64748b"),
        Kind::Handler => ("#ccfbf1", "#0d9488", "#134e4a"),
        Kind::Event => ("#ffedd5", "#ea580c", "#7c2d12"),
        Kind::Consumer => ("#dbeafe", "#2563eb", "#1e3a8a"),
    };
    let label = match node.detail.as_str() {
        "" => node.name.clone(),
        detail => format!("{}\n{detail}", node.name),
    };
    format!(
        "[label={}, tooltip={}, fillcolor=\"{fill}\", color=\"{line}\", fontcolor=\"{letters}\"]",
        quoted(&label),
        quoted(&node.title)
    )
}

/// A quoted text. Graphviz also decodes entities in it.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '&' => quoted.push_str("&amp;"),
            c if c.is_control() => quoted.push(' '),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
