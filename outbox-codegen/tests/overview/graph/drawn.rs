//! The programs that draw graphs accept what is written, and draw every node.

use std::io::Write;
use std::process::{Command, Stdio};

use outbox_codegen::graph;
use outbox_runtime::RegistryInfo;
use serde_json::{Value, json};

use super::browser::{answer, named};
use crate::{large::large, names::hostile, shop};

fn pictures() -> [(&'static str, RegistryInfo); 4] {
    [("small", shop::small()), ("shop", shop::shop()), ("large", large()), ("hostile", hostile())]
}

/// Looks at an SVG in the page: is every text inside its box, and inside the picture?
const LOOK: &str = r#"
const parsed = new DOMParser().parseFromString(source, 'image/svg+xml');
const error = parsed.querySelector('parsererror');
const outside = [];
if (!error) {
  const svg = document.body.appendChild(document.importNode(parsed.documentElement, true));
  const page = svg.getBoundingClientRect();
  const within = (a, b) => a.left >= b.left && a.right <= b.right && a.top >= b.top && a.bottom <= b.bottom;
  for (const text of svg.querySelectorAll('text')) {
    const box = text.parentElement.querySelector(':scope > rect');
    const frame = box && text.parentElement !== svg ? box.getBoundingClientRect() : page;
    if (!within(text.getBoundingClientRect(), frame)) outside.push(text.textContent);
  }
}
const count = selector => document.querySelectorAll('svg ' + selector).length;
const overlapping = [...document.querySelectorAll('g[role] > rect')].map(r => r.getBoundingClientRect())
  .filter((a, i, all) => all.some((b, j) => i < j
    && a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom)).length;
document.getElementById('answer').textContent = JSON.stringify({
  error: error && error.textContent, outside, overlapping,
  nodes: count('g[role] > title'), edges: count('.edges > path.head'),
});
"#;

fn looked_at(svg: &str) -> Value {
    let source = Value::from(svg).to_string().replace('<', "\\u003c");
    let page = format!(
        "<!doctype html><meta charset=utf-8><pre id=\"answer\"></pre>\
         <script>const source = {source};{LOOK}</script>"
    );
    serde_json::from_str(&answer(&page)).expect("JSON")
}

#[test]
fn a_browser_draws_the_svg_with_every_text_in_its_box() {
    for (name, registry) in pictures() {
        let graph = graph::of(&registry);
        let expected = json!({
            "error": null, "outside": [], "overlapping": 0,
            "nodes": graph.nodes.len(), "edges": graph.edges.len(),
        });
        assert_eq!(looked_at(&graph::svg(&graph)), expected, "{name}");
    }
}

#[test]
fn the_look_at_a_picture_sees_a_text_that_overflows_and_xml_that_is_none() {
    let svg = graph::svg(&graph::of(&shop::small()));
    let wide = svg.replace(">accounts.close</text>", ">accounts.close.of.everybody</text>");
    assert_eq!(looked_at(&wide)["outside"], json!(["accounts.close.of.everybody"]));
    assert!(looked_at(&svg.replace("</g>", ""))["error"].is_string());
}

#[test]
fn mermaid_draws_every_node_with_its_name() {
    let script = std::fs::read_to_string(named("OUTBOX_TEST_MERMAID")).expect("Mermaid's script");
    let graphs: Vec<_> = pictures().map(|(_, registry)| graph::of(&registry)).into();
    let sources: Vec<String> = graphs.iter().map(graph::mermaid).collect();
    let sources = Value::from(sources).to_string().replace('<', "\\u003c");
    let page = format!(
        r#"<!doctype html><meta charset=utf-8><pre id="answer"></pre><script>{script}</script><script>
        const sources = {sources};
        mermaid.initialize({{ startOnLoad: false, maxEdges: 1000 }});
        (async () => {{
          const drawn = [];
          for (const [index, source] of sources.entries()) {{
            try {{
              const {{ svg }} = await mermaid.render('m' + index, source);
              const page = new DOMParser().parseFromString(svg, 'text/html');
              const labels = [...page.querySelectorAll('.node .nodeLabel')];
              drawn.push({{
                labels: labels.map(l => (l.querySelector('p') ?? l).childNodes[0].textContent).sort(),
                edges: page.querySelectorAll('path.flowchart-link').length,
              }});
            }} catch (error) {{ drawn.push(String(error)); }}
          }}
          document.getElementById('answer').textContent = JSON.stringify(drawn);
        }})();</script>"#
    );
    let drawn: Vec<Value> = serde_json::from_str(&answer(&page)).expect("JSON");
    assert_eq!(drawn.len(), graphs.len());
    for (graph, drawn) in graphs.iter().zip(drawn) {
        let mut labels: Vec<&str> = graph.nodes.iter().map(|node| node.name.as_str()).collect();
        labels.sort_unstable();
        assert_eq!(
            drawn,
            json!({ "labels": labels, "edges": graph.edges.len() }),
            "{}",
            graph.name
        );
    }
}

#[test]
fn graphviz_draws_every_node_with_its_name() {
    for (name, registry) in pictures() {
        let graph = graph::of(&registry);
        let drawn: Value = serde_json::from_str(&graphviz(&graph::dot(&graph))).expect("JSON");
        let nodes = drawn["objects"].as_array().expect("objects").iter();
        // What is drawn of a label, line by line.
        let mut labels: Vec<&str> = nodes
            .filter(|object| object.get("shape").is_some())
            .filter_map(|node| {
                let drawn = node["_ldraw_"].as_array()?;
                drawn.iter().find_map(|operation| operation["text"].as_str())
            })
            .collect();
        let mut expected: Vec<&str> = graph.nodes.iter().map(|node| node.name.as_str()).collect();
        labels.sort_unstable();
        expected.sort_unstable();
        assert_eq!(labels, expected, "{name}");
        let edges = drawn["edges"].as_array().map_or(0, Vec::len);
        assert_eq!(edges, graph.edges.len(), "{name}");
    }
}

fn graphviz(source: &str) -> String {
    let mut dot = Command::new(named("OUTBOX_TEST_DOT"))
        .arg("-Tjson")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("dot runs");
    dot.stdin.take().expect("a pipe").write_all(source.as_bytes()).expect("it is read");
    let output = dot.wait_with_output().expect("dot ends");
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && complaints.is_empty(), "{complaints}\n{source}");
    String::from_utf8(output.stdout).expect("text")
}
