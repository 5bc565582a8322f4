//! One suite, three runtimes: what a client does is written once, and done on tokio with one thread and with several, on
//! smol and on async-std, in memory and at Dovecot over TLS, STARTTLS and in the clear.

mod certificates;
mod checking;
mod endings;
mod harness;
mod logins;
mod pipe;
mod proxies;
mod reconnecting;
mod session;
mod site;
mod sockets;
mod split;
mod tls_server;
mod uploads;

use harness::{AsyncStd, Harness, Smol, TokioOnOneThread, TokioOnSeveral};
use imap_proto_core::Security;
use imap_tests::servers::Dovecot;
use site::Site;

/// Each scenario in memory as a test of its own, and all of them at Dovecot, in three ways; then what needs no server, or has
/// one of its own.
macro_rules! suite {
    (on servers: $($name:ident = $scenario:path),*; alone: $($alone_name:ident = $alone:path),* $(,)?) => {
        async fn at_dovecot<H: Harness>(harness: H, server: &Dovecot, security: Security, user: &'static str) {
            $(
                eprintln!("{} {security:?}", stringify!($name));
                let site = Site::real(harness, stringify!($name), server, security, user);
                harness.soon($scenario(site)).await;
            )*
        }

        suite!(@on tokio_on_one_thread TokioOnOneThread { $($name = $scenario),* } { $($alone_name = $alone),* });
        suite!(@on tokio_on_several_threads TokioOnSeveral { $($name = $scenario),* } { $($alone_name = $alone),* });
        suite!(@on smol Smol { $($name = $scenario),* } { $($alone_name = $alone),* });
        suite!(@on async_std AsyncStd { $($name = $scenario),* } { $($alone_name = $alone),* });
    };
    (@on $module:ident $harness:ident { $($name:ident = $scenario:path),* } { $($alone_name:ident = $alone:path),* }) => {
        mod $module {
            use super::*;

            $(
                #[test]
                fn $name() {
                    $harness.run($harness.soon($scenario(Site::in_memory($harness, stringify!($name)))));
                }
            )*

            $(
                #[test]
                fn $alone_name() {
                    $harness.run($harness.soon($alone($harness)));
                }
            )*

            #[test]
            fn all_of_it_at_dovecot() {
                let Some(server) = Dovecot::start() else { return };
                let ways = [Security::ImplicitTls, Security::StartTls, Security::Plaintext];
                for (security, user) in ways.into_iter().zip(["alice", "bob", "carol"]) {
                    $harness.run(at_dovecot($harness, &server, security, user));
                }
            }
        }
    };
}

suite! {
    on servers:
        mailboxes_are_made_listed_and_removed = session::mailboxes,
        messages_are_searched_and_fetched = session::reading,
        bodies_are_read_as_streams_and_by_readers = session::bodies,
        messages_are_changed_copied_moved_and_removed = session::changing,
        tasks_share_a_connection = session::sharing,
        messages_are_stored_from_memory_and_from_readers = uploads::one,
        an_upload_of_many_is_stopped_half_way = uploads::many,
        a_mailbox_is_watched = endings::watching,
        what_is_dropped_leaves_the_connection_good = endings::dropping,
        what_takes_too_long_is_given_up = endings::times;
    alone:
        a_server_that_goes_away_ends_all_that_waits = endings::a_server_goes_away,
        a_server_that_is_silent_is_given_up = endings::a_server_is_silent,
        a_connection_that_tls_does_not_end_is_lost = endings::tls_is_cut_off,
        the_driver_ends_with_the_last_handle = endings::handles_are_dropped,
        certificates_are_judged_as_they_should_be = certificates::judged,
        certificates_are_judged_after_starttls_too = certificates::judged_after_starttls,
        certificates_are_judged_wherever_their_octets_are_split = split::certificates,
        a_server_without_tls_is_told_nothing_wherever_its_octets_are_split = split::clear_text,
        a_connection_that_tls_is_cut_off_of_anywhere_is_lost = split::cut_off,
        a_client_shows_its_certificate = certificates::of_a_client,
        scram_is_bound_to_the_tls_below_it = logins::scram,
        scram_goes_without_where_the_server_does = logins::unbound,
        tls_tells_what_both_ends_know = certificates::facts,
        credentials_are_checked_at_dovecot = checking::at_dovecot,
        proxies_lead_to_dovecot = proxies::at_dovecot,
        a_proxy_that_refuses_is_told_from_the_server = proxies::refused,
        a_proxy_that_is_silent_is_left_and_one_that_is_dropped_closed = proxies::silent_or_dropped,
        a_socket_begins_where_it_is_told_to = sockets::local_address,
        a_socket_asks_whether_the_peer_is_there = sockets::keep_alive,
        the_address_that_answers_is_taken = sockets::several_addresses,
        a_connecting_that_is_dropped_closes_its_socket = sockets::dropped,
        a_dovecot_that_is_restarted_is_found_again = reconnecting::a_server_is_restarted,
}
