//! What is in a graph.

use outbox_codegen::graph::{self, Graph, Kind, Node};
use outbox_runtime::RegistryInfo;

use crate::{large::large, shop};

fn node<'a>(graph: &'a Graph, kind: Kind, name: &str) -> &'a Node {
    let found = graph.nodes.iter().find(|node| node.kind == kind && node.name == name);
    found.unwrap_or_else(|| panic!("no {name} in {graph:?}"))
}

fn edges(graph: &Graph) -> Vec<(&str, &str)> {
    let name = |index: usize| graph.nodes[index].name.as_str();
    graph.edges.iter().map(|edge| (name(edge.from), name(edge.to))).collect()
}

#[test]
fn edges_lead_from_handlers_to_events_and_from_events_to_consumers() {
    let graph = graph::of(&shop::shop());
    let expected = [
        ("cancel_order", "rpc/orders.cancel"),
        ("send_parcel", "parcel:moved"),
        ("order.placed", "mail.receipt"),
        ("order.placed", "stock.reserve"),
        ("parcel:moved", "mail.parcel"),
        ("stripe:invoice.paid", "ledger"),
        ("stripe:invoice.paid", "accounts.close"),
    ];
    assert_eq!(edges(&graph), expected);
}

#[test]
fn an_event_is_one_node_that_names_its_newest_version() {
    let graph = graph::of(&shop::shop());
    let placed = node(&graph, Kind::Event, "order.placed");
    assert_eq!((placed.detail.as_str(), placed.dimmed), ("v2", false));
    assert_eq!(graph.nodes.iter().filter(|node| node.name == "order.placed").count(), 1);
}

#[test]
fn an_event_is_dimmed_when_all_of_it_is_retired_or_unlisted() {
    let mut registry = shop::shop();
    registry.events.iter_mut().for_each(|event| event.retired = true);
    let graph = graph::of(&registry);
    let placed = node(&graph, Kind::Event, "order.placed");
    assert_eq!((placed.detail.as_str(), placed.dimmed), ("v2, retired", true));
    registry.events.clear();
    let graph = graph::of(&registry);
    let placed = node(&graph, Kind::Event, "order.placed");
    assert_eq!((placed.detail.as_str(), placed.dimmed), ("not listed", true));
}

#[test]
fn a_consumer_that_is_behind_says_so() {
    let mut registry = shop::shop();
    registry.consumers[0].event_version = 1;
    let graph = graph::of(&registry);
    assert_eq!(
        node(&graph, Kind::Consumer, "mail.receipt").detail,
        "takes v1 · after 1m · some only"
    );
}

#[test]
fn an_include_is_a_frame_around_what_it_lists() {
    let graph = graph::of(&shop::shop());
    assert_eq!(graph.registries, ["Shop", "Billing"]);
    assert_eq!(node(&graph, Kind::Event, "stripe:invoice.paid").registry, 1);
    assert_eq!(node(&graph, Kind::Consumer, "ledger").registry, 0);
    assert!(graph::svg(&graph).contains("class=\"frame\""));
    let alone = graph::of(&shop::small());
    assert_eq!(alone.registries, ["Billing"]);
    assert!(!graph::svg(&alone).contains("class=\"frame\""));
}

#[test]
fn a_registry_of_nothing_is_a_picture_of_nothing() {
    let graph = graph::of(&RegistryInfo::new("Empty", Vec::new(), Vec::new()));
    assert_eq!((graph.nodes.len(), graph.edges.len()), (0, 0));
    assert!(graph::svg(&graph).ends_with("</svg>\n"));
}

#[test]
fn the_same_registry_gives_the_same_text() {
    for registry in [shop::shop(), large()] {
        let (first, second) = (graph::of(&registry), graph::of(&registry));
        for write in [graph::mermaid, graph::dot, graph::svg] {
            assert_eq!(write(&first), write(&second));
        }
    }
}

/// The numbers after `d="M` of each edge, and before its end: where it begins and ends.
fn lines(svg: &str) -> Vec<[f64; 4]> {
    let edges = svg.lines().filter_map(|line| line.strip_prefix("<path d=\"M"));
    edges
        .map(|line| {
            let number = |text: &str| text.parse().expect("a number");
            let numbers: Vec<f64> = line
                .split(|c: char| !c.is_ascii_digit() && c != '-')
                .filter(|text| !text.is_empty())
                .map(number)
                .collect();
            [numbers[0], numbers[1], numbers[6], numbers[7]]
        })
        .collect()
}

fn crossings(svg: &str) -> usize {
    let lines = lines(svg);
    let crosses = |a: &[f64; 4], b: &[f64; 4]| a[0] == b[0] && (a[1] - b[1]) * (a[3] - b[3]) < 0.0;
    let pairs = lines.iter().enumerate();
    pairs.map(|(index, a)| lines[index + 1..].iter().filter(|b| crosses(a, b)).count()).sum()
}

#[test]
fn within_a_registry_no_edge_crosses_another() {
    let mut registry = large();
    assert!(crossings(&graph::svg(&graph::of(&registry))) > 0, "the test sees no crossing");
    // As if one team had everything, listed in an order that has nothing to do with the events.
    registry.events.iter_mut().for_each(|event| event.registry = "Company");
    registry.handlers.iter_mut().for_each(|handler| handler.registry = "Company");
    registry.consumers.iter_mut().for_each(|consumer| consumer.registry = "Company");
    registry.consumers.reverse();
    registry.handlers.rotate_left(3);
    let svg = graph::svg(&graph::of(&registry));
    assert_eq!(lines(&svg).len(), registry.handlers.len() + registry.consumers.len());
    assert_eq!(crossings(&svg), 0);
}
