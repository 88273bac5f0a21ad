//! A strict parser for the markup that a report may hold: well-formed XML, and HTML that is as
//! regular. Browsers forgive; this does not.

/// An element, or a text (then without a name).
#[derive(Debug, Default)]
pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) attributes: Vec<(String, String)>,
    pub(crate) children: Vec<Node>,
    own_text: String,
}

impl Node {
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(n, _)| n == name);
        found.map(|(_, value)| value.as_str())
    }

    /// An attribute that is a number.
    pub(crate) fn number(&self, name: &str) -> f64 {
        let text = self.attribute(name).unwrap_or_default();
        text.parse()
            .unwrap_or_else(|_| panic!("{name}={text:?} in {}", self.name))
    }

    /// This element and all below it, in the order of the text.
    pub(crate) fn walk(&self) -> Vec<&Node> {
        let mut out = vec![self];
        for child in &self.children {
            out.extend(child.walk());
        }
        out
    }

    /// The elements of a name.
    pub(crate) fn all(&self, name: &str) -> Vec<&Node> {
        self.walk().into_iter().filter(|n| n.name == name).collect()
    }

    /// The element with an id.
    pub(crate) fn by_id(&self, id: &str) -> &Node {
        let mut found = self
            .walk()
            .into_iter()
            .filter(|n| n.attribute("id") == Some(id));
        found.next().unwrap_or_else(|| panic!("no #{id}"))
    }

    /// All text in it.
    pub(crate) fn text(&self) -> String {
        self.walk().iter().map(|n| n.own_text.as_str()).collect()
    }
}

/// Elements without an end.
const VOID: [&str; 2] = ["meta", "br"];
/// Elements whose content is no markup.
const RAW: [&str; 2] = ["style", "script"];

/// Reads XML.
pub(crate) fn xml(text: &str) -> Result<Node, String> {
    Parser {
        rest: text,
        html: false,
    }
    .document()
}

/// Reads HTML as regular as XML but for void and raw elements and attributes without a value.
pub(crate) fn html(text: &str) -> Result<Node, String> {
    let rest = text
        .strip_prefix("<!DOCTYPE html>\n")
        .ok_or("no document type")?;
    Parser { rest, html: true }.document()
}

struct Parser<'a> {
    rest: &'a str,
    html: bool,
}

impl<'a> Parser<'a> {
    fn document(mut self) -> Result<Node, String> {
        let allowed = |c: char| {
            matches!(c, '\t' | '\n' | '\r')
                || (!c.is_control() && !matches!(c, '\u{fffe}' | '\u{ffff}'))
        };
        if let Some(c) = self.rest.chars().find(|c| !allowed(*c)) {
            return Err(format!("the character {c:?}"));
        }
        self.eat("<")?;
        let root = self.element()?;
        if self.rest.trim().is_empty() {
            Ok(root)
        } else {
            Err(format!("after the end: {}", self.near()))
        }
    }

    fn near(&self) -> String {
        self.rest.chars().take(60).collect()
    }

    fn eat(&mut self, token: &str) -> Result<(), String> {
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                Ok(())
            }
            None => Err(format!("no {token} before {}", self.near())),
        }
    }

    /// Up to, and without, what a pattern finds.
    fn until(&mut self, end: impl Fn(char) -> bool) -> &'a str {
        let at = self.rest.find(end).unwrap_or(self.rest.len());
        let (found, rest) = self.rest.split_at(at);
        self.rest = rest;
        found
    }

    fn word(&mut self) -> Result<String, String> {
        let word = self.until(|c| !(c.is_ascii_alphanumeric() || matches!(c, '-' | ':')));
        match word.chars().next() {
            Some(c) if c.is_ascii_alphabetic() => Ok(word.into()),
            _ => Err(format!("no name before {}", self.near())),
        }
    }

    /// After its `<`.
    fn element(&mut self) -> Result<Node, String> {
        let mut node = Node {
            name: self.word()?,
            ..Node::default()
        };
        loop {
            let space = !self.until(|c| !c.is_whitespace()).is_empty();
            if self.rest.starts_with("/>") && !self.html_element(&node.name) {
                self.eat("/>")?;
                return Ok(node);
            }
            if self.rest.starts_with('>') {
                self.eat(">")?;
                break;
            }
            if !space {
                return Err(format!("no space in <{} before {}", node.name, self.near()));
            }
            let name = self.word()?;
            if node.attribute(&name).is_some() {
                return Err(format!("{name} twice in <{}", node.name));
            }
            let value = if self.html && !self.rest.starts_with('=') {
                String::new()
            } else {
                self.eat("=\"")?;
                let value = self.until(|c| c == '"' || c == '<');
                self.eat("\"")?;
                unescape(value)?
            };
            node.attributes.push((name, value));
        }
        if self.html && VOID.contains(&node.name.as_str()) {
            return Ok(node);
        }
        if self.html && RAW.contains(&node.name.as_str()) {
            let end = format!("</{}>", node.name);
            let at = self.rest.find("</").ok_or("a raw element without end")?;
            node.own_text = self.rest[..at].into();
            self.rest = &self.rest[at..];
            self.eat(&end)?;
            return Ok(node);
        }
        self.content(node)
    }

    /// Elements of a drawing close themselves, those of HTML do not.
    fn html_element(&self, name: &str) -> bool {
        const SVG: [&str; 6] = ["rect", "line", "polyline", "polygon", "circle", "text"];
        self.html && !SVG.contains(&name)
    }

    fn content(&mut self, mut node: Node) -> Result<Node, String> {
        loop {
            let text = unescape(self.until(|c| c == '<'))?;
            if !text.is_empty() {
                node.children.push(Node {
                    own_text: text,
                    ..Node::default()
                });
            }
            self.eat("<")?;
            if self.rest.starts_with('/') {
                self.eat(&format!("/{}>", node.name))?;
                return Ok(node);
            }
            node.children.push(self.element()?);
        }
    }
}

fn unescape(text: &str) -> Result<String, String> {
    let mut out = String::new();
    let mut parts = text.split('&');
    out.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let (name, rest) = part
            .split_once(';')
            .ok_or_else(|| format!("a bare & before {part}"))?;
        out.push(match name {
            "lt" => '<',
            "gt" => '>',
            "amp" => '&',
            "quot" => '"',
            "apos" => '\'',
            other => other
                .strip_prefix('#')
                .and_then(|n| n.parse().ok())
                .and_then(char::from_u32)
                .ok_or_else(|| format!("the entity &{other};"))?,
        });
        out.push_str(rest);
    }
    Ok(out)
}

#[test]
fn the_parser_is_strict() {
    let page = |body: &str| html(&format!("<!DOCTYPE html>\n<p>{body}</p>"));
    for good in [
        "a &lt; b &#38; c",
        "<br>x<b>y</b>",
        "<script>if (a < b && c) {}</script>",
        "<svg><rect x=\"1\"/></svg>",
        "<i hidden>x</i>",
    ] {
        page(good).unwrap();
    }
    assert_eq!(page("<b>1 &lt; 2</b>!").unwrap().text(), "1 < 2!");
    for bad in [
        "a < b",
        "a & b",
        "a &nosuch; b",
        "<b>x",
        "</b>",
        "<b><i>x</b></i>",
        "<b a=1>x</b>",
        "<b a=\"x\"b=\"y\">x</b>",
        "<b a=\"1\" a=\"2\">x</b>",
        "<b a=\"<\">x</b>",
        "<!-- x -->",
        "<script>x</style></script>",
        "<div/>",
        "\u{1b}[31m",
        "\0",
        "\u{ffff}",
    ] {
        assert!(page(bad).is_err(), "{bad}");
    }
    assert!(xml("<a><b></a>").is_err());
    assert!(xml("<a/>x").is_err());
    assert!(html("<p>no document type</p>").is_err());
}
