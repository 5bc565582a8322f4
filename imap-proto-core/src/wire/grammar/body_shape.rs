use super::BodyKind;
use crate::wire::{Parsed, Text, TokenKind, Value, Values};

/// Where a field is in the table; past its end for what is missing.
#[derive(Clone, Copy)]
pub(super) struct Slot(pub(super) u32);

impl Default for Slot {
    fn default() -> Self {
        Slot(u32::MAX)
    }
}

#[derive(Clone, Copy, Default)]
pub(super) struct Fields {
    pub(super) media_type: Slot,
    pub(super) subtype: Slot,
    pub(super) parameters: Slot,
    pub(super) id: Slot,
    pub(super) description: Slot,
    pub(super) encoding: Slot,
    pub(super) octets: Slot,
    pub(super) lines: Slot,
    pub(super) envelope: Slot,
    pub(super) body: Slot,
    pub(super) md5: Slot,
    pub(super) disposition: Slot,
    pub(super) language: Slot,
    pub(super) location: Slot,
}

/// The most fields a part has: type and subtype, five of any part, three of a message, four extensions.
const MOST_FIELDS: usize = 14;

/// The fields of one part by position, behind the parts of a multipart, before it is known what they are.
pub(super) struct Shape<'a> {
    table: &'a Parsed,
    slots: [u32; MOST_FIELDS],
    len: usize,
    has_parts: bool,
}

impl<'a> Shape<'a> {
    pub(super) fn of(list: Value<'a>) -> Self {
        let mut shape = Shape { table: list.table(), slots: [u32::MAX; MOST_FIELDS], len: 0, has_parts: false };
        for value in list.list().unwrap_or(Values::empty()) {
            if shape.len == 0 && is_list(&value) {
                shape.has_parts = true;
                continue;
            }
            let Some(slot) = shape.slots.get_mut(shape.len) else { break };
            *slot = value.index();
            shape.len += 1;
        }
        shape
    }

    pub(super) fn resolve(&self) -> (BodyKind, Fields) {
        if self.has_parts {
            return (BodyKind::Multipart, self.multipart(0));
        }
        match (self.text(0), self.text(1)) {
            (Some(word), _) if word.eq_ignore_ascii_case("multipart") => (BodyKind::Multipart, self.named_multipart()),
            (Some(_), Some(_)) => self.part(2),
            // The subtype is `NIL`, or its place is taken by what follows it.
            (Some(word), None) if self.is_count(5) || (is_media_type(word) && !self.is_count(6)) => self.part(1),
            (Some(_), None) if self.is_count(6) => self.part(2),
            (Some(_), None) => (BodyKind::Multipart, self.multipart(0)),
            (None, Some(_)) if !self.is_count(6) => (BodyKind::Multipart, self.multipart(1)),
            (None, _) => self.part(2),
        }
    }

    /// A multipart from its subtype on.
    fn multipart(&self, subtype: usize) -> Fields {
        let next = subtype + 1;
        // The parameters are missing, or come behind the disposition (quirk 116).
        let (parameters, disposition, language) = match (self.is_disposition(next), self.is_disposition(next + 1)) {
            (true, false) if self.value(next + 1).is_some_and(|v| is_list(&v)) => (next + 1, next, next + 2),
            (true, false) => (MOST_FIELDS, next, next + 1),
            _ => (next, next + 1, next + 2),
        };
        Fields {
            subtype: self.slot(subtype),
            parameters: self.slot(parameters),
            disposition: self.slot(disposition),
            language: self.slot(language),
            location: self.slot(language + 1),
            ..Fields::default()
        }
    }

    /// A multipart described like any other part, `"multipart"` first (quirk 109).
    fn named_multipart(&self) -> Fields {
        if self.text(1).is_none() {
            return Fields { subtype: Slot::default(), ..self.multipart(0) };
        }
        if !self.is_count(6) {
            return self.multipart(1);
        }
        let again = self.value(2).is_none_or(Value::is_nil);
        Fields {
            subtype: self.slot(1),
            parameters: self.slot(if again { 7 } else { 2 }),
            id: self.slot(3),
            description: self.slot(4),
            encoding: self.slot(5),
            octets: self.slot(6),
            disposition: self.slot(8),
            language: self.slot(9),
            location: self.slot(10),
            ..Fields::default()
        }
    }

    /// A part that is no multipart, its parameters at `at`.
    fn part(&self, at: usize) -> (BodyKind, Fields) {
        let mut fields = Fields {
            media_type: self.slot(0),
            subtype: if at == 2 { self.slot(1) } else { Slot::default() },
            parameters: self.slot(at),
            id: self.slot(at + 1),
            description: self.slot(at + 2),
            encoding: self.slot(at + 3),
            octets: self.slot(at + 4),
            ..Fields::default()
        };
        let next = at + 5;
        let word = self.text(0);
        let is = |name| word.is_some_and(|word| word.eq_ignore_ascii_case(name));
        if is("text") {
            let has_lines = self.has_lines(next);
            if has_lines {
                fields.lines = self.slot(next);
            }
            self.extensions(next + usize::from(has_lines), &mut fields);
            return (BodyKind::Text, fields);
        }
        if is("message") && self.is_message(at) {
            fields.envelope = self.slot(next);
            fields.body = self.slot(next + 1);
            let has_lines = self.is_count(next + 2) || self.value(next + 2).is_some_and(Value::is_nil);
            if has_lines {
                fields.lines = self.slot(next + 2);
            }
            self.extensions(next + 2 + usize::from(has_lines), &mut fields);
            return (BodyKind::Message, fields);
        }
        if at == 1 && word.is_some_and(|word| !is_media_type(word)) {
            // `("X-ZIP" ("BOUNDARY" "") …)`: the one word is the subtype (quirk 111).
            fields.subtype = core::mem::take(&mut fields.media_type);
        }
        // No MD5 is a bare number; lines of what is no text are.
        let has_lines = self.value(next).is_some_and(|v| v.kind() == TokenKind::Atom) && self.is_count(next);
        if has_lines {
            fields.lines = self.slot(next);
        }
        self.extensions(next + usize::from(has_lines), &mut fields);
        (BodyKind::Basic, fields)
    }

    fn extensions(&self, at: usize, fields: &mut Fields) {
        let missing = self.is_disposition(at);
        let disposition = at + usize::from(!missing);
        if !missing {
            fields.md5 = self.slot(at);
        }
        fields.disposition = self.slot(disposition);
        fields.language = self.slot(disposition + 1);
        fields.location = self.slot(disposition + 2);
    }

    /// True where the line count of a text is, or a `NIL` for it; servers leave it out (quirk 113).
    fn has_lines(&self, at: usize) -> bool {
        let is_nil = self.value(at).is_some_and(Value::is_nil);
        let all_but_lines = self.len == at + 4 && !self.is_disposition(at + 2);
        self.is_count(at) || (is_nil && !all_but_lines && !self.is_disposition(at + 1))
    }

    /// True where a message has envelope and body; Gmail and Dovecot describe some like any other part (quirk 112).
    fn is_message(&self, at: usize) -> bool {
        let subtype = if at == 2 { self.text(1) } else { None };
        let of_type = subtype.is_none_or(|s| s.eq_ignore_ascii_case("rfc822") || s.eq_ignore_ascii_case("global"));
        let next = at + 5;
        let body = self.value(next + 1).is_none_or(|body| is_list(&body) || body.is_nil());
        let envelope = match self.value(next) {
            Some(value) if is_list(&value) => !self.is_disposition(next),
            Some(value) => value.is_nil() && self.is_count(next + 2),
            None => false,
        };
        of_type && body && envelope
    }

    /// True for `("inline" NIL)` and `("attachment" ("filename" "x"))`, which no parameters look like.
    fn is_disposition(&self, at: usize) -> bool {
        let Some(mut values) = self.value(at).and_then(Value::list) else { return false };
        let (word, parameters) = (values.next().and_then(Value::text), values.next());
        let (Some(word), Some(parameters), true) = (word, parameters, values.is_empty()) else { return false };
        is_list(&parameters)
            || parameters.is_nil() && ["inline", "attachment"].iter().any(|kind| word.eq_ignore_ascii_case(kind))
    }

    fn is_count(&self, at: usize) -> bool {
        self.value(at).and_then(Value::count).is_some()
    }

    fn slot(&self, at: usize) -> Slot {
        self.slots.get(at).map_or(Slot::default(), |index| Slot(*index))
    }

    fn value(&self, at: usize) -> Option<Value<'a>> {
        Value::at(self.table, self.slot(at).0)
    }

    fn text(&self, at: usize) -> Option<Text<'a>> {
        self.value(at)?.text()
    }
}

#[inline]
pub(super) fn is_list(value: &Value<'_>) -> bool {
    value.kind() == TokenKind::List
}

fn is_media_type(word: Text<'_>) -> bool {
    ["text", "application", "image", "audio", "video", "message", "font", "model"]
        .iter()
        .any(|name| word.eq_ignore_ascii_case(name))
}
