use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use crate::command::Access;
use crate::types::{Capabilities, Capability, Code, Flag, MailboxName, SeqNum, Uid, UidValidity};
use crate::wire::grammar::{Flags, Unsolicited, parse_status_text};
use crate::wire::{Condition, Kind, Response};

/// What the server told us so far. Always right, whoever took the events.
#[derive(Clone, Debug, Default)]
pub struct View {
    pub(super) state: SessionState,
    pub(super) capabilities: Capabilities,
    pub(super) enabled: Capabilities,
    pub(super) selected: Option<Box<Selected>>,
    /// The mailbox that a SELECT under way will select.
    pub(super) selecting: Option<Box<Selected>>,
    pub(super) selection: u32,
    /// How often something was expunged.
    pub(super) expunged: u32,
    pub(super) is_compressed: bool,
    pub(super) is_preauthenticated: bool,
    pub(super) bye: Option<Box<(Option<Code>, String)>>,
    pub(super) alerts: Vec<String>,
}

/// How many alerts are kept.
const MOST_ALERTS: usize = 8;

/// How far the connection is. RFC 9051 §3
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SessionState {
    /// Nothing was received yet.
    #[default]
    Greeting,
    /// Not logged in.
    NotAuthenticated,
    /// Logged in.
    Authenticated,
    /// LOGOUT is on its way, or BYE was received.
    Logout,
}

/// The state of the selected mailbox.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Selected {
    /// Its name.
    pub mailbox: MailboxName,
    /// Which selection of this connection it is; commands are bound to it.
    pub selection: u32,
    /// Whether it can be changed, as the server said.
    pub access: Access,
    /// How many messages it has.
    pub exists: u32,
    /// How many of them are recent; servers of IMAP4rev2 do not say.
    pub recent: u32,
    /// The flags it knows.
    pub flags: Vec<Flag>,
    /// The flags that can be changed for good; `None` when the server did not say, which means all.
    pub permanent_flags: Option<Vec<Flag>>,
    /// The validity of its UIDs.
    pub uid_validity: Option<UidValidity>,
    /// The UID that the next message will have, or more.
    pub uid_next: Option<Uid>,
    /// The first unseen message.
    pub unseen: Option<SeqNum>,
    /// The highest modification sequence, where the mailbox has them (RFC 7162).
    pub highest_mod_seq: Option<u64>,
}

impl Selected {
    pub(crate) fn new(mailbox: MailboxName, selection: u32) -> Self {
        Selected {
            mailbox,
            selection,
            access: Access::ReadWrite,
            exists: 0,
            recent: 0,
            flags: Vec::new(),
            permanent_flags: None,
            uid_validity: None,
            uid_next: None,
            unseen: None,
            highest_mod_seq: None,
        }
    }
}

impl View {
    /// How far the connection is.
    pub fn state(&self) -> SessionState {
        self.state
    }

    /// What the server can do, as it last said; empty when it has not said since the last login or TLS.
    pub fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    /// What was switched on by ENABLE. RFC 9051 §6.3.1
    pub fn enabled(&self) -> &Capabilities {
        &self.enabled
    }

    /// True when the server greeted with PREAUTH: it asked for no credentials, and those that it was to be given were not tried.
    /// RFC 9051 §7.1.4
    pub fn is_preauthenticated(&self) -> bool {
        self.is_preauthenticated
    }

    /// True once the server has agreed to COMPRESS, or said that the connection is compressed at another layer. RFC 4978
    pub fn is_compressed(&self) -> bool {
        self.is_compressed
    }

    /// What the server wants the user to be shown, the last eight of it: words of a kilobyte at most, without control
    /// characters. What came before STARTTLS is not among them, since anybody may have said it. RFC 9051 §7.1
    pub fn alerts(&self) -> &[String] {
        &self.alerts
    }

    /// True where the server does what it names in this session.
    ///
    /// A session is of one revision: once IMAP4rev2 is enabled, what went with IMAP4rev1 is gone, and where both are offered
    /// IMAP4rev2 has to be enabled first. RFC 9051 appendix A
    pub(super) fn offers(&self, capability: &Capability) -> bool {
        let is_enabled = self.enabled.has(&Capability::Imap4Rev2);
        match capability {
            Capability::Imap4Rev1 => self.capabilities.has(capability) && !is_enabled,
            Capability::Imap4Rev2 => {
                is_enabled || (self.capabilities.has(capability) && !self.capabilities.has(&Capability::Imap4Rev1))
            }
            other => self.capabilities.offers(other),
        }
    }

    /// What the server offers to a session of this revision: IMAP4rev1 is none of it once IMAP4rev2 is enabled.
    pub(super) fn offered(&self) -> Cow<'_, Capabilities> {
        if !self.capabilities.has(&Capability::Imap4Rev1) || self.offers(&Capability::Imap4Rev1) {
            return Cow::Borrowed(&self.capabilities);
        }
        Cow::Owned(self.capabilities.iter().filter(|one| **one != Capability::Imap4Rev1).cloned().collect())
    }

    /// True once mailbox names travel in UTF-8 instead of modified UTF-7. RFC 6855 §3, RFC 9051 §5.1
    pub(super) fn has_utf8_names(&self) -> bool {
        self.enabled.has(&Capability::Utf8Accept) || self.offers(&Capability::Imap4Rev2)
    }

    /// The selected mailbox.
    pub fn selected(&self) -> Option<&Selected> {
        self.selected.as_deref()
    }

    /// The number of the current selection. It advances when the first byte of a SELECT leaves.
    pub fn selection(&self) -> u32 {
        self.selection
    }

    /// True once the server accepted a login, or needed none.
    pub(super) fn is_authenticated(&self) -> bool {
        self.state == SessionState::Authenticated
    }

    /// The first byte of a SELECT has left: what was selected is not any more.
    pub(super) fn begin_selecting(&mut self, mailbox: MailboxName) {
        self.selection = self.selection.wrapping_add(1);
        self.selected = None;
        self.selecting = Some(Box::new(Selected::new(mailbox, self.selection)));
    }

    /// The first byte of a CLOSE has left: nothing is selected.
    pub(super) fn deselect(&mut self) {
        self.selection = self.selection.wrapping_add(1);
        self.selected = None;
    }

    pub(super) fn end_selecting(&mut self, ok: bool) {
        let selecting = self.selecting.take();
        self.selected = selecting.filter(|_| ok);
    }

    /// Takes in one response, before it goes to whoever asked for it.
    pub(super) fn apply(&mut self, response: &Response<'_>) {
        match response.kind() {
            Kind::Fetch(_) | Kind::Search => {}
            Kind::Exists(exists) => self.mailbox(|m| m.exists = exists),
            Kind::Recent(recent) => self.mailbox(|m| m.recent = recent),
            // An EXPUNGE of what is not there is a server's mistake and changes nothing.
            Kind::Expunge(seq) => {
                self.expunged = self.expunged.wrapping_add(1);
                self.mailbox(|m| m.exists -= u32::from((1..=m.exists).contains(&seq)));
            }
            // RFC 7162 §3.2.10.2: it counts as an EXPUNGE of each, and names none that is not there.
            Kind::Other if response.is_named("VANISHED") => {
                if let Unsolicited::Vanished { uids, earlier: false } = response.unsolicited() {
                    self.expunged = self.expunged.wrapping_add(1);
                    let gone = u32::try_from(uids.len()).unwrap_or(u32::MAX);
                    self.mailbox(|m| m.exists = m.exists.saturating_sub(gone));
                }
            }
            Kind::Flags => {
                if let Some(flags) = response.first().and_then(Flags::new) {
                    let flags = flags.iter().map(|flag| Flag::from_wire(&flag.to_bytes())).collect();
                    self.mailbox(|m| m.flags = flags);
                }
            }
            Kind::Capability => self.capabilities = Capabilities::from_wire(response.text().as_raw()),
            Kind::Status(condition) => {
                let (code, text) = parse_status_text(response.text().as_raw());
                // Of several the first that says why counts.
                let is_told = self.bye.as_deref().is_some_and(|(told, _)| told.is_some() || code.is_none());
                if condition == Condition::Bye && !is_told {
                    self.bye = Some(Box::new((code, crate::error::words(text))));
                } else if let Some(code) = code {
                    self.apply_code(&code, text);
                }
            }
            _ => {}
        }
    }

    pub(super) fn apply_code(&mut self, code: &Code, text: &[u8]) {
        match code {
            Code::Alert => {
                if self.alerts.len() == MOST_ALERTS {
                    self.alerts.remove(0);
                }
                self.alerts.push(crate::error::words(text));
            }
            Code::Capability(capabilities) => self.capabilities = capabilities.clone(),
            Code::PermanentFlags(flags) => self.mailbox(|m| m.permanent_flags = Some(flags.clone())),
            Code::UidValidity(validity) => self.mailbox(|m| m.uid_validity = *validity),
            Code::UidNext(next) => self.mailbox(|m| m.uid_next = *next),
            Code::Unseen(unseen) => self.mailbox(|m| m.unseen = *unseen),
            Code::HighestModSeq(value) => self.mailbox(|m| m.highest_mod_seq = Some(*value).filter(|v| *v > 0)),
            Code::CompressionActive => self.is_compressed = true,
            Code::ReadOnly => self.mailbox(|m| m.access = Access::ReadOnly),
            Code::ReadWrite => self.mailbox(|m| m.access = Access::ReadWrite),
            _ => {}
        }
    }

    fn mailbox(&mut self, change: impl FnOnce(&mut Selected)) {
        if let Some(mailbox) = self.selecting.as_mut().or(self.selected.as_mut()) {
            change(mailbox);
        }
    }
}
