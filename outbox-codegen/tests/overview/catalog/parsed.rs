//! The pages as a Markdown parser reads them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use outbox_codegen::catalog;
use outbox_runtime::RegistryInfo;
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use crate::names::{WORST, hostile};
use crate::{large::large, shop::shop};

/// What is found in a page.
#[derive(Default)]
struct Page {
    links: Vec<String>,
    anchors: BTreeSet<String>,
    /// How many columns each table has, and then how many cells each row that is not empty.
    tables: Vec<(usize, Vec<usize>)>,
    cells: Vec<String>,
    html: Vec<String>,
    /// What is emphasised, where nothing of a cell should be.
    markup_in_cells: usize,
}

fn page(text: &str) -> Page {
    let mut page = Page::default();
    let (mut heading, mut cell) = (None::<String>, None::<String>);
    for event in Parser::new_ext(text, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH) {
        match event {
            Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
            Event::End(TagEnd::Heading(_)) => {
                page.anchors.insert(anchor(&heading.take().expect("a heading")));
            }
            Event::Start(Tag::Link { dest_url, .. }) => page.links.push(dest_url.to_string()),
            Event::Start(Tag::Table(columns)) => page.tables.push((columns.len(), Vec::new())),
            Event::Start(Tag::TableRow | Tag::TableHead) => {
                page.tables.last_mut().expect("a table").1.push(0);
            }
            Event::Start(Tag::TableCell) => cell = Some(String::new()),
            Event::End(TagEnd::TableCell) => {
                *page.tables.last_mut().and_then(|table| table.1.last_mut()).expect("a row") += 1;
                page.cells.push(cell.take().expect("a cell"));
            }
            Event::Start(Tag::Emphasis | Tag::Strong | Tag::Strikethrough) if cell.is_some() => {
                page.markup_in_cells += 1;
            }
            Event::Html(html) | Event::InlineHtml(html) => page.html.push(html.to_string()),
            Event::Text(text) | Event::Code(text) => {
                for open in [&mut heading, &mut cell].into_iter().flatten() {
                    open.push_str(&text);
                }
            }
            _ => {}
        }
    }
    page
}

/// The anchor that GitHub gives a heading.
fn anchor(heading: &str) -> String {
    let kept = |c: &char| c.is_alphanumeric() || " -_".contains(*c);
    heading.to_lowercase().chars().filter(kept).map(|c| if c == ' ' { '-' } else { c }).collect()
}

fn pages(registry: &RegistryInfo) -> BTreeMap<PathBuf, Page> {
    catalog::files(registry).into_iter().map(|(path, text)| (path, page(&text))).collect()
}

/// The links that lead nowhere, and how many there are in all.
fn broken(pages: &BTreeMap<PathBuf, Page>) -> (Vec<String>, usize) {
    let (mut broken, mut count) = (Vec::new(), 0);
    for (path, page) in pages {
        for link in &page.links {
            count += 1;
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let file = match (file, file.strip_prefix("../")) {
                ("", _) => path.clone(),
                (_, Some(above)) => PathBuf::from(above),
                (file, None) => path.parent().unwrap_or(Path::new("")).join(file),
            };
            let leads = pages
                .get(&file)
                .is_some_and(|target| anchor.is_empty() || target.anchors.contains(anchor));
            if !leads {
                broken.push(format!("{}: {link}", path.display()));
            }
        }
    }
    (broken, count)
}

#[test]
fn every_link_leads_to_a_page_and_an_anchor() {
    for registry in [shop(), large(), hostile()] {
        let (broken, count) = broken(&pages(&registry));
        assert!(
            broken.is_empty() && count > 20,
            "of {count} links of {}: {broken:?}",
            registry.name
        );
    }
    let mut pages = pages(&shop());
    pages.remove(Path::new("events/order.placed.md"));
    assert!(!broken(&pages).0.is_empty(), "the test follows no link");
}

#[test]
fn no_name_and_no_documentation_breaks_a_table_or_becomes_markup() {
    for registry in [shop(), large(), hostile()] {
        for (path, page) in pages(&registry) {
            let path = path.display();
            assert!(!page.tables.is_empty(), "{path}");
            for (columns, rows) in page.tables {
                assert!(rows.iter().all(|cells| *cells == columns), "{path}: {rows:?}");
            }
            let tags = page.html.iter().find(|html| !["<code>", "</code>"].contains(&html.trim()));
            assert_eq!(tags, None, "{path}");
            assert_eq!(page.markup_in_cells, 0, "{path}");
        }
    }
}

/// A parser drops the cells of a row that are too many, so they are counted in the text: what is in a
/// cell is written without `|`.
#[test]
fn no_row_has_more_cells_than_its_table() {
    for registry in [shop(), large(), hostile()] {
        for (path, text) in catalog::files(&registry) {
            let lines: Vec<&str> = text.lines().collect();
            let bars = |line: &str| line.matches('|').count();
            for pair in lines.windows(2).filter(|pair| pair.iter().all(|l| l.starts_with('|'))) {
                assert_eq!(bars(pair[0]), bars(pair[1]), "{}: {pair:?}", path.display());
            }
        }
    }
}

#[test]
fn every_name_can_be_read_in_the_index_as_it_is() {
    let pages = pages(&hostile());
    let index = &pages[Path::new("README.md")];
    for name in WORST {
        let cells = index.cells.iter().filter(|cell| cell.as_str() == name).count();
        assert!(cells >= 3, "{name} is in {cells} cells of {:?}", index.cells);
    }
}

#[test]
fn the_same_registry_gives_the_same_pages() {
    assert_eq!(catalog::files(&shop()), catalog::files(&shop()));
}
