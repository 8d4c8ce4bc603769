//! YAML text → value and places: the events of the parser are put together under limits. Anchors, aliases and merge keys
//! work; what they expand to is bounded, so that a small file cannot fill the memory.

mod scalar;

use std::collections::HashMap;

use indexmap::IndexMap;
use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, Tag};
use serde_json::{Map, Value};

use super::place::{Node, Parts, Spot};
use super::{DEPTH_LIMIT, Flaw, SIZE_LIMIT};

/// Reads a text of at most one document; an empty one is `null`.
pub(super) fn read(text: &str) -> Result<(Value, Node), Vec<Flaw>> {
    let mut builder = Builder::default();
    let mut parser = Parser::new_from_str(text);
    while let Some(event) = parser.next_event() {
        let result = match event {
            Ok((event, span)) => builder.take(event, span),
            Err(error) => Err(as_flaw(text, &error)),
        };
        if let Err(flaw) = result {
            builder.flaws.push(flaw);
            break;
        }
    }
    if !builder.flaws.is_empty() {
        return Err(builder.flaws);
    }
    Ok(builder
        .root
        .unwrap_or((Value::Null, Node::leaf(Spot { line: 1, column: 1 }))))
}

fn as_flaw(text: &str, error: &ScanError) -> Flaw {
    let mark = error.marker();
    let spot = Spot {
        line: mark.line().max(1),
        column: mark.col() + 1,
    };
    if error.info() == "recursion limit exceeded" {
        return Flaw::too_deep(spot);
    }
    // The parser notices some mistakes only on the line after them.
    let lines = text.lines().skip(spot.line.saturating_sub(2)).take(2);
    let next = if lines.into_iter().any(starts_with_brace_value) {
        "Put a value that starts with `{{` in quotes: \"{{ … }}\"."
    } else {
        "Check the indentation, and put texts with `: ` or ` #` in quotes."
    };
    Flaw::new(spot, format!("This is not valid YAML: {}", error.info()), next)
}

fn starts_with_brace_value(line: &str) -> bool {
    line.split_once(": ")
        .is_some_and(|(_, value)| value.trim_start().starts_with("{{"))
        || line.trim_start().starts_with("- {{")
}

/// A finished value; `anchor` is 0 when it has none.
struct Built {
    value: Value,
    node: Node,
}

/// A list or an object that is still open.
enum Open {
    List {
        items: Vec<Value>,
        nodes: Vec<Node>,
        start: Spot,
        anchor: usize,
    },
    Map {
        members: Members,
        key: Option<Key>,
        start: Spot,
        anchor: usize,
    },
}

/// The key that waits for its value.
enum Key {
    Name(String, Spot),
    /// `<<`
    Merge(Spot),
    /// A key that was refused; its value is read past.
    Refused,
}

#[derive(Default)]
struct Members {
    values: Map<String, Value>,
    nodes: IndexMap<String, Node>,
    /// What `<<` brings in, in the order in which it was written.
    merged: Vec<Built>,
    merge_seen: Option<Spot>,
}

#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    root: Option<(Value, Node)>,
    anchors: HashMap<usize, Built>,
    /// What has been copied for anchors and aliases so far, about in bytes.
    copied: usize,
    documents: usize,
    flaws: Vec<Flaw>,
}

impl Builder {
    /// Takes one event. What still allows to read on goes to `flaws`, the rest is the error.
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Flaw> {
        let spot = Spot {
            line: span.start.line(),
            column: span.start.col() + 1,
        };
        match event {
            Event::DocumentStart(_) => self.begin_document(spot),
            Event::Scalar(text, style, anchor, tag) => {
                let tag = tag.as_deref();
                if self.waits_for_key() {
                    self.take_key(&text, style, tag, spot);
                    return Ok(());
                }
                let value = scalar::read(&text, style, tag).unwrap_or_else(|mistake| {
                    self.flaws.push(mistake.at(spot));
                    Value::Null
                });
                self.finish(
                    Built {
                        value,
                        node: Node::leaf(spot),
                    },
                    anchor,
                )
            }
            Event::SequenceStart(anchor, tag) => {
                self.check_start(tag.as_deref(), "seq", spot)?;
                self.open.push(Open::List {
                    items: Vec::new(),
                    nodes: Vec::new(),
                    start: spot,
                    anchor,
                });
                Ok(())
            }
            Event::MappingStart(anchor, tag) => {
                self.check_start(tag.as_deref(), "map", spot)?;
                self.open.push(Open::Map {
                    members: Members::default(),
                    key: None,
                    start: spot,
                    anchor,
                });
                Ok(())
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            Event::Alias(anchor) => self.alias(anchor, spot),
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
        }
    }

    fn begin_document(&mut self, spot: Spot) -> Result<(), Flaw> {
        self.documents += 1;
        if self.documents > 1 {
            return Err(Flaw::new(
                spot,
                "A second YAML document starts here",
                "Put each document in its own file.",
            ));
        }
        Ok(())
    }

    fn waits_for_key(&self) -> bool {
        matches!(self.open.last(), Some(Open::Map { key: None, .. }))
    }

    fn check_start(&self, tag: Option<&Tag>, expected: &str, spot: Spot) -> Result<(), Flaw> {
        if self.waits_for_key() {
            return Err(Flaw::new(
                spot,
                "A list or an object stands where a key is expected",
                "Put a value that starts with `{{` in quotes: \"{{ … }}\". Keys are texts.",
            ));
        }
        if self.open.len() == DEPTH_LIMIT {
            return Err(Flaw::too_deep(spot));
        }
        match tag {
            Some(tag) if !(tag.is_yaml_core_schema() && tag.suffix == expected) => Err(scalar::unknown_tag(tag, spot)),
            _ => Ok(()),
        }
    }

    fn take_key(&mut self, text: &str, style: ScalarStyle, tag: Option<&Tag>, spot: Spot) {
        let new = match scalar::read(text, style, tag) {
            Ok(Value::String(name)) if name == "<<" && style == ScalarStyle::Plain => Key::Merge(spot),
            Ok(Value::String(name)) => Key::Name(name, spot),
            Ok(_) => {
                let detail = format!("The key `{text}` is no text");
                self.flaws
                    .push(Flaw::new(spot, detail, format!("Put it in quotes: \"{text}\".")));
                Key::Refused
            }
            Err(mistake) => {
                self.flaws.push(mistake.at(spot));
                Key::Refused
            }
        };
        if let Some(Open::Map { key, .. }) = self.open.last_mut() {
            *key = Some(new);
        }
    }

    fn close(&mut self) -> Result<(), Flaw> {
        match self.open.pop() {
            Some(Open::List {
                items,
                nodes,
                start,
                anchor,
            }) => {
                let node = Node {
                    key: None,
                    value: start,
                    parts: Parts::List(nodes),
                };
                self.finish(
                    Built {
                        value: Value::Array(items),
                        node,
                    },
                    anchor,
                )
            }
            Some(Open::Map {
                members, start, anchor, ..
            }) => {
                let (values, nodes) = members.merge();
                let node = Node {
                    key: None,
                    value: start,
                    parts: Parts::Map(nodes),
                };
                self.finish(
                    Built {
                        value: Value::Object(values),
                        node,
                    },
                    anchor,
                )
            }
            None => Ok(()),
        }
    }

    /// Puts a finished value where it belongs, and keeps a copy when it has an anchor.
    fn finish(&mut self, built: Built, anchor: usize) -> Result<(), Flaw> {
        if anchor != 0 {
            let copy = self.copy(&built)?;
            self.anchors.insert(anchor, copy);
        }
        self.put(built);
        Ok(())
    }

    fn alias(&mut self, anchor: usize, spot: Spot) -> Result<(), Flaw> {
        if self.waits_for_key() {
            return Err(Flaw::new(
                spot,
                "An alias stands where a key is expected",
                "Write the key out.",
            ));
        }
        let Some(known) = self.anchors.get(&anchor) else {
            return Err(Flaw::new(
                spot,
                "The alias stands inside of what it stands for",
                "Write the value out.",
            ));
        };
        if self.open.len() + height(&known.value) > DEPTH_LIMIT {
            return Err(Flaw::too_deep(spot));
        }
        let weight = weight(&known.value);
        let copy = Built {
            value: known.value.clone(),
            node: known.node.clone(),
        };
        self.charge(weight, spot)?;
        self.put(copy);
        Ok(())
    }

    fn copy(&mut self, built: &Built) -> Result<Built, Flaw> {
        self.charge(weight(&built.value), built.node.value)?;
        Ok(Built {
            value: built.value.clone(),
            node: built.node.clone(),
        })
    }

    fn charge(&mut self, weight: usize, spot: Spot) -> Result<(), Flaw> {
        self.copied += weight;
        if self.copied > SIZE_LIMIT {
            return Err(Flaw::new(
                spot,
                "The anchors and aliases stand for too much",
                "Write the values out.",
            ));
        }
        Ok(())
    }

    fn put(&mut self, built: Built) {
        match self.open.last_mut() {
            None => self.root = Some((built.value, built.node)),
            Some(Open::List { items, nodes, .. }) => {
                items.push(built.value);
                nodes.push(built.node);
            }
            Some(Open::Map { members, key, .. }) => {
                let flaw = match key.take() {
                    Some(Key::Name(name, spot)) => members.add(name, spot, built),
                    Some(Key::Merge(spot)) => members.add_merge(spot, built),
                    Some(Key::Refused) | None => None,
                };
                self.flaws.extend(flaw);
            }
        }
    }
}

impl Members {
    fn add(&mut self, name: String, spot: Spot, built: Built) -> Option<Flaw> {
        if let Some(first) = self.nodes.get(&name) {
            return Some(Flaw::duplicate(spot, &name, first.key.unwrap_or(first.value)));
        }
        self.nodes.insert(
            name.clone(),
            Node {
                key: Some(spot),
                ..built.node
            },
        );
        self.values.insert(name, built.value);
        None
    }

    fn add_merge(&mut self, spot: Spot, built: Built) -> Option<Flaw> {
        if let Some(first) = self.merge_seen.replace(spot) {
            return Some(Flaw::duplicate(spot, "<<", first));
        }
        match (built.value, built.node.parts) {
            (Value::Array(values), Parts::List(nodes)) => {
                self.merged
                    .extend(values.into_iter().zip(nodes).map(|(value, node)| Built { value, node }));
            }
            (value, parts) => self.merged.push(Built {
                value,
                node: Node { parts, ..built.node },
            }),
        }
        if self.merged.iter().all(|part| part.value.is_object()) {
            return None;
        }
        Some(Flaw::new(
            spot,
            "`<<` brings in something that is no object",
            "Give it objects only, or write `\"<<\"`.",
        ))
    }

    /// Keys that are written out win over merged ones, earlier merged ones over later ones (YAML merge key language).
    fn merge(mut self) -> (Map<String, Value>, IndexMap<String, Node>) {
        for part in self.merged {
            let (Value::Object(values), Parts::Map(nodes)) = (part.value, part.node.parts) else {
                continue;
            };
            for ((name, value), (_, node)) in values.into_iter().zip(nodes) {
                if !self.values.contains_key(&name) {
                    self.values.insert(name.clone(), value);
                    self.nodes.insert(name, node);
                }
            }
        }
        (self.values, self.nodes)
    }
}

/// Levels of lists and objects. The recursion is bounded: nothing deeper than [`DEPTH_LIMIT`] is ever built.
fn height(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(height).max().unwrap_or(0),
        Value::Object(members) => 1 + members.values().map(height).max().unwrap_or(0),
        _ => 0,
    }
}

/// About how many bytes a value takes, with its places.
fn weight(value: &Value) -> usize {
    const EACH: usize = 64;
    EACH + match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(weight).sum(),
        Value::Object(members) => members.iter().map(|(name, value)| 2 * name.len() + weight(value)).sum(),
        _ => 0,
    }
}
