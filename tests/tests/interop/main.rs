//! Every operation against real servers: against Dovecot over TLS, STARTTLS and in clear text, against Cyrus and Courier
//! over TLS.
//!
//! Each operation is a function that makes its own mailboxes and fills its rows of a table. Where a server lacks an
//! extension, the typed error or the documented fallback is what the row asks for: nothing is left out in silence.

mod append;
mod changes;
mod compress;
mod connection;
mod dropping;
mod fetch;
mod listing;
mod mailboxes;
mod mechanisms;
mod peer;
mod search;
mod secure;
mod selection;
#[path = "../session/mod.rs"]
#[expect(dead_code, reason = "not all of it is used here")]
mod session;
mod table;

use peer::{Operation, everywhere};

macro_rules! operations {
    ($($module:ident :: $function:ident: $($row:literal),+;)*) => {
        &[$(Operation {
            name: concat!(stringify!($module), " ", stringify!($function)),
            run: |peer| Box::pin($module::$function(peer)),
            rows: &[$($row),+],
        }),*]
    };
}

const OPERATIONS: &[Operation] = operations! {
    secure::certificates: "a certificate that does not fit";
    secure::ports: "the wrong port";
    connection::refusals: "a wrong password", "SELECT of what is not there";
    connection::capabilities: "CAPABILITY";
    connection::id: "ID", "ID, saying nothing";
    connection::enable: "ENABLE";
    mailboxes::utf8: "ENABLE UTF8=ACCEPT";
    mailboxes::namespaces: "NAMESPACE";
    listing::selecting: "LIST", "LIST of several patterns", "LIST below a reference", "LIST (SUBSCRIBED)",
        "LIST (RECURSIVEMATCH)", "LIST (REMOTE)", "LSUB", "SUBSCRIBE", "UNSUBSCRIBE";
    listing::returning: "LIST RETURN (SUBSCRIBED)", "LIST RETURN (CHILDREN)", "list_all", "LIST RETURN (STATUS)",
        "list_with_status";
    listing::special_use: "LIST (SPECIAL-USE)", "LIST RETURN (SPECIAL-USE)";
    mailboxes::status: "STATUS", "STATUS (SIZE)", "STATUS (HIGHESTMODSEQ)", "STATUS (MAILBOXID)";
    mailboxes::create: "CREATE", "ensure", "exists";
    mailboxes::rename: "RENAME";
    mailboxes::delete: "DELETE";
    mailboxes::special_use: "CREATE with a special use";
    selection::select: "SELECT", "SELECT (CONDSTORE)";
    selection::examine: "EXAMINE";
    selection::leave: "CLOSE", "UNSELECT";
    search::keys: "SEARCH", "UID SEARCH", "SEARCH beyond ASCII";
    search::extensions: "SEARCH OLDER", "SEARCH YOUNGER", "SEARCH MODSEQ", "SEARCH RETURN (SAVE)";
    search::returning: "SEARCH RETURN", "UID SEARCH RETURN";
    fetch::items: "FETCH of typed items", "UID FETCH of typed items";
    fetch::stream: "UID FETCH as a stream";
    fetch::sections: "FETCH of sections", "FETCH that marks as seen";
    fetch::bodies: "a body as a stream", "a body as AsyncRead";
    fetch::exact_pieces: "a body in exact pieces";
    fetch::decoded: "FETCH BINARY";
    fetch::extensions: "FETCH SAVEDATE", "FETCH PREVIEW", "FETCH EMAILID", "FETCH MODSEQ", "FETCH (CHANGEDSINCE)";
    changes::store: "STORE", "UID STORE", "STORE -FLAGS", "STORE of all flags", "STORE, silent";
    changes::conditional_store: "STORE (UNCHANGEDSINCE)";
    changes::copy: "COPY", "UID COPY";
    changes::move_to: "MOVE", "UID MOVE";
    changes::expunge: "EXPUNGE", "UID EXPUNGE", "delete";
    append::append: "APPEND of octets", "APPEND from a reader", "APPEND with flags", "APPEND with a date", "APPENDUID";
    append::many: "APPEND of many", "APPEND of many, ended half-way";
    append::nul: "APPEND with NUL";
    append::several: "MULTIAPPEND", "MULTIAPPEND, synchronizing";
    append::cut: "MULTIAPPEND, cut", "MULTIAPPEND, cut, synchronizing";
    append::refused: "APPEND to what is not there";
    append::wrong_source: "APPEND from a wrong source";
    connection::noop: "NOOP";
    connection::idle: "IDLE";
    connection::raw: "raw command";
    dropping::shared: "shared by tasks";
    dropping::dropped: "dropped at any poll";
    compress::compress: "COMPRESS";
    compress::dropped: "COMPRESS, dropped at any poll";
    compress::connected: "COMPRESS at the login";
    connection::settle: "settle";
    connection::logout: "LOGOUT";
};

#[test]
fn every_operation_is_done_or_refused_by_its_name_on_every_server() {
    let columns = everywhere(OPERATIONS);
    let rows: Vec<&str> = OPERATIONS.iter().flat_map(|operation| operation.rows).copied().collect();
    let (table, empty) = table::render(&rows, &columns);
    println!("{table}");
    let failures: Vec<&String> = columns.iter().flat_map(|column| &column.failures).collect();
    assert!(failures.is_empty(), "{failures:#?}");
    assert!(empty.is_empty(), "without an answer: {empty:#?}");
}
