use std::borrow::Cow;

/// How a command ends, unless it is [`Bad`].
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// `OK` and this text, response code and all.
    Ok(Cow<'static, str>),
    /// `NO` and this text, response code and all.
    No(Cow<'static, str>),
    /// No tagged line, or none yet: the client is to go on, or the session is over.
    Later,
    /// `OK` and this text, then the end of the connection.
    Last(&'static str),
    /// `OK` and this text, then TLS.
    StartTls(&'static str),
    /// `OK` and this text, then compression.
    Compress(&'static str),
}

/// `BAD` and this text: the command breaks the grammar, or is none for the state the session is in.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Bad(pub(super) Cow<'static, str>);

pub(super) type Parsed<T> = Result<T, Bad>;
pub(super) type Outcome = Result<Answer, Bad>;

pub(super) fn ok(text: impl Into<Cow<'static, str>>) -> Outcome {
    Ok(Answer::Ok(text.into()))
}

pub(super) fn no(text: impl Into<Cow<'static, str>>) -> Outcome {
    Ok(Answer::No(text.into()))
}

pub(super) fn bad<T>(text: impl Into<Cow<'static, str>>) -> Parsed<T> {
    Err(Bad(text.into()))
}
