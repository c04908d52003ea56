//! Mermaid, which GitHub and GitLab draw where they find it in Markdown.

use super::{Graph, Kind, Node};

/// Colours that are legible on a light and on a dark page.
const CLASSES: &str = "  classDef handler fill:#ccfbf1,stroke:#0d9488,color:#134e4a\n  \
     classDef event fill:#ffedd5,stroke:#ea580c,color:#7c2d12\n  \
     classDef consumer fill:#dbeafe,stroke:#2563eb,color:#1e3a8a\n  \
     classDef dimmed fill:#f1f5f9,stroke:#94a3b8,color:#64748b,stroke-dasharray:4 3\n  \
     classDef frame fill:transparent,stroke:#94a3b8,color:#64748b\n";

/// The graph as a Mermaid flowchart, from left to right.
#[must_use]
pub fn mermaid(graph: &Graph) -> String {
    let mut text = "flowchart LR\n".to_owned();
    for (index, registry) in graph.registries.iter().enumerate() {
        let indent = if graph.has_frames() { "    " } else { "  " };
        if graph.has_frames() {
            text.push_str(&format!("  subgraph r{index}[\"{}\"]\n", escaped(registry)));
        }
        for (node, about) in graph.listed_by(index) {
            text.push_str(&format!("{indent}n{node}{}\n", shape(about)));
        }
        if graph.has_frames() {
            text.push_str("  end\n");
        }
    }
    for edge in &graph.edges {
        text.push_str(&format!("  n{} --> n{}\n", edge.from, edge.to));
    }
    text.push_str(CLASSES);
    if graph.has_frames() {
        let frames: Vec<String> = (0..graph.registries.len()).map(|r| format!("r{r}")).collect();
        text.push_str(&format!("  class {} frame\n", frames.join(",")));
    }
    text
}

fn shape(node: &Node) -> String {
    let label = match node.detail.as_str() {
        "" => escaped(&node.name),
        detail => format!("{}<br/><small>{}</small>", escaped(&node.name), escaped(detail)),
    };
    let (open, close, class) = match node.kind {
        Kind::Handler => ("([", "])", "handler"),
        Kind::Event => ("[", "]", "event"),
        Kind::Consumer => ("(", ")", "consumer"),
    };
    let class = if node.dimmed { "dimmed" } else { class };
    format!("{open}\"{label}\"{close}:::{class}")
}

/// Mermaid has codes for characters instead of escapes; what is neither letter nor digit might be
/// markup.
fn escaped(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || " .-_/,·".contains(c);
    text.chars()
        .map(|c| if plain(c) { c.to_string() } else { format!("#{};", u32::from(c)) })
        .collect()
}
