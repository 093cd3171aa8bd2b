//! XML: dotted paths of element names. The document is written with an indent of two spaces.

use std::borrow::Cow;

use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};
use quick_xml::{Reader, Writer};

use crate::{EditError, Replacement, scalar};

/// The most elements that are open at once.
const MAX_DEPTH: usize = 128;

/// An element or something between elements.
enum Node {
    Element(Element),
    /// Text, a comment, a declaration and so on, kept as it is.
    Other(Event<'static>),
}

struct Element {
    start: BytesStart<'static>,
    children: Vec<Node>,
}

pub(crate) fn edit(text: &str, replacements: &[Replacement]) -> Result<String, EditError> {
    let mut document = if text.trim().is_empty() {
        empty(replacements)
    } else {
        read(text)?
    };
    for replacement in replacements {
        let path: Vec<&str> = replacement
            .path
            .split('.')
            .filter(|name| !name.is_empty())
            .collect();
        if path.iter().any(|name| *name != "*" && !is_name(name)) {
            let reason = "a part of it is not the name of an element";
            return Err(EditError::Path {
                path: replacement.path.clone(),
                reason,
            });
        }
        set(
            &mut document,
            &path,
            &scalar::text(&replacement.value),
            !path.contains(&"*"),
        );
    }
    write(&document)
}

/// A document with a declaration and a root named by the first path.
fn empty(replacements: &[Replacement]) -> Vec<Node> {
    let mut document = vec![Node::Other(Event::Decl(BytesDecl::new(
        "1.0",
        Some("UTF-8"),
        None,
    )))];
    let root = replacements
        .iter()
        .find_map(|replacement| replacement.path.split('.').next());
    if let Some(root) = root.filter(|root| is_name(root)) {
        document.push(Node::Element(Element::new(root)));
    }
    document
}

fn is_name(name: &str) -> bool {
    name.starts_with(|char: char| char.is_alphabetic() || char == '_')
        && name
            .chars()
            .all(|char| char.is_alphanumeric() || matches!(char, '_' | '-' | ':'))
}

impl Element {
    fn new(name: &str) -> Self {
        Self {
            start: BytesStart::new(name.to_owned()),
            children: Vec::new(),
        }
    }

    fn is_named(&self, name: &str) -> bool {
        name == "*" || self.start.name().as_ref() == name
    }

    /// Sets the text, or for a value of the form `[name='text']` an attribute.
    fn set(&mut self, value: &str) {
        let attribute = value
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix("']"))
            .and_then(|rest| rest.split_once("='"))
            .filter(|(name, _)| is_name(name));
        if let Some((name, text)) = attribute {
            let mut start = BytesStart::new(self.start.name().as_ref().to_owned());
            let mut found = false;
            for present in self.start.attributes().with_checks(false).flatten() {
                if present.key.as_ref() == name {
                    start.push_attribute((name, text));
                    found = true;
                } else {
                    start.push_attribute(present);
                }
            }
            if !found {
                start.push_attribute((name, text));
            }
            self.start = start.into_owned();
        } else {
            self.children
                .retain(|child| matches!(child, Node::Element(_) | Node::Other(Event::Comment(_))));
            self.children.insert(
                0,
                Node::Other(Event::Text(BytesText::new(value).into_owned())),
            );
        }
    }
}

/// Sets a value at every element that the path reaches; without one and with `create` it is made.
fn set(nodes: &mut Vec<Node>, path: &[&str], value: &str, create: bool) {
    let Some((name, rest)) = path.split_first() else {
        return;
    };
    let exists = nodes
        .iter()
        .any(|node| matches!(node, Node::Element(element) if element.is_named(name)));
    if !exists && create {
        nodes.push(Node::Element(Element::new(name)));
    }
    for node in nodes {
        let Node::Element(element) = node else {
            continue;
        };
        if !element.is_named(name) {
            continue;
        }
        if rest.is_empty() {
            element.set(value);
        } else {
            set(&mut element.children, rest, value, create);
        }
    }
}

fn read(text: &str) -> Result<Vec<Node>, EditError> {
    let syntax = |reason: String| EditError::Syntax {
        format: "XML",
        reason,
    };
    let mut reader = Reader::from_str(text);
    reader.config_mut().expand_empty_elements = false;
    let mut open: Vec<Element> = Vec::new();
    let mut document = Vec::new();
    loop {
        let event = reader
            .read_event()
            .map_err(|error| syntax(error.to_string()))?;
        let node = match event {
            Event::Eof if open.is_empty() => return Ok(document),
            Event::Eof => return Err(syntax("an element is not closed".to_owned())),
            Event::Start(start) => {
                if open.len() >= MAX_DEPTH {
                    return Err(syntax(format!(
                        "more than {MAX_DEPTH} elements are open at once"
                    )));
                }
                open.push(Element {
                    start: start.into_owned(),
                    children: Vec::new(),
                });
                continue;
            }
            Event::Empty(start) => Node::Element(Element {
                start: start.into_owned(),
                children: Vec::new(),
            }),
            Event::End(_) => match open.pop() {
                Some(element) => Node::Element(element),
                None => return Err(syntax("an element is closed that is not open".to_owned())),
            },
            // Space between elements is made anew when the document is written.
            Event::Text(text) if text.trim().is_empty() => continue,
            other => Node::Other(other.into_owned()),
        };
        match open.last_mut() {
            Some(parent) => parent.children.push(node),
            None => document.push(node),
        }
    }
}

fn write(document: &[Node]) -> Result<String, EditError> {
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    write_nodes(&mut writer, document).map_err(|error| EditError::Syntax {
        format: "XML",
        reason: error.to_string(),
    })?;
    let mut out = String::from_utf8(writer.into_inner()).map_err(|_| EditError::NotText)?;
    out.push('\n');
    Ok(out)
}

fn write_nodes(writer: &mut Writer<Vec<u8>>, nodes: &[Node]) -> std::io::Result<()> {
    for node in nodes {
        match node {
            Node::Other(event) => writer.write_event(event.borrow())?,
            Node::Element(element) if element.children.is_empty() => {
                writer.write_event(Event::Empty(element.start.borrow()))?;
            }
            Node::Element(element) => {
                writer.write_event(Event::Start(element.start.borrow()))?;
                write_nodes(writer, &element.children)?;
                let name = element.start.name().as_ref().to_owned();
                writer.write_event(Event::End(BytesEnd::new(Cow::Owned(name))))?;
            }
        }
    }
    Ok(())
}
