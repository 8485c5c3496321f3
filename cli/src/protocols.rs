//! `linsock protocols`: the protocol catalog, as WSAEnumProtocols gives it.

use std::fmt::Write as _;

use linsock::catalog::{PROVIDERS, Provider};

/// The flags of `dwServiceFlags1` that providers here have, with their names less `XP1_`.
const FLAGS: [(u32, &str); 12] = [
    (0x0000_0001, "CONNECTIONLESS"),
    (0x0000_0002, "GUARANTEED_DELIVERY"),
    (0x0000_0004, "GUARANTEED_ORDER"),
    (0x0000_0008, "MESSAGE_ORIENTED"),
    (0x0000_0020, "GRACEFUL_CLOSE"),
    (0x0000_0040, "EXPEDITED_DATA"),
    (0x0000_0080, "CONNECT_DATA"),
    (0x0000_0100, "DISCONNECT_DATA"),
    (0x0000_0200, "SUPPORT_BROADCAST"),
    (0x0000_0400, "SUPPORT_MULTIPOINT"),
    (0x0002_0000, "IFS_HANDLES"),
    (0x0004_0000, "PARTIAL_MESSAGE"),
];

/// What the command was asked for.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Print JSON, one object for each provider in an array.
    #[arg(long)]
    json: bool,
}

/// The catalog as text.
pub(crate) fn text(arguments: &Arguments) -> String {
    if arguments.json { json() } else { table() }
}

fn flags(provider: Provider) -> Vec<&'static str> {
    let has = |flag: &&(u32, &'static str)| provider.service() & flag.0 != 0;
    FLAGS.iter().filter(has).map(|flag| flag.1).collect()
}

fn type_name(provider: Provider) -> &'static str {
    match provider {
        Provider::Tcp(_) | Provider::Unix => "SOCK_STREAM",
        Provider::Udp(_) => "SOCK_DGRAM",
        Provider::Iso(_) => "SOCK_SEQPACKET",
    }
}

fn table() -> String {
    let mut text = String::from(
        "  id  family  type            protocol  message  name                 flags\n",
    );
    for provider in PROVIDERS {
        let _ = writeln!(
            text,
            "{:>4}  {:>6}  {:<14}  {:>8}  {:>7}  {:<19}  {}",
            provider.id(),
            provider.domain().number(),
            type_name(provider),
            provider.protocol(),
            provider.message_size(),
            provider.name(),
            flags(provider).join(" "),
        );
    }
    text.truncate(text.trim_end().len());
    text
}

fn json() -> String {
    let entry = |provider: Provider| {
        let flags: Vec<_> = flags(provider).iter().map(|flag| format!("\"{flag}\"")).collect();
        format!(
            concat!(
                "{{\"id\": {}, \"family\": {}, \"type\": {}, \"protocol\": {}, ",
                "\"message_size\": {}, \"name\": \"{}\", \"flags\": [{}]}}"
            ),
            provider.id(),
            provider.domain().number(),
            provider.socket_type(),
            provider.protocol(),
            provider.message_size(),
            provider.name(),
            flags.join(", "),
        )
    };
    let entries: Vec<_> = PROVIDERS.into_iter().map(entry).collect();
    format!("[\n  {}\n]", entries.join(",\n  "))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// No flag of a provider is without a name here.
    #[test]
    fn every_flag_is_shown() {
        let known = FLAGS.iter().fold(0, |sum, flag| sum | flag.0);
        for provider in PROVIDERS {
            assert_eq!(provider.service() & !known, 0, "{}", provider.name());
            assert!(table().contains(provider.name()));
        }
    }
}
