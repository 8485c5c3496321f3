//! Short texts for the error codes that socket programs meet.

/// The text of a code, without its full stop.
pub(super) fn of(code: u32) -> Option<&'static str> {
    TEXTS
        .binary_search_by_key(&code, |row| row.0)
        .ok()
        .map(|at| TEXTS[at].1)
}

/// Sorted by code.
const TEXTS: &[(u32, &str)] = &[
    (0, "The operation succeeded"),
    (1, "The function is not valid here"),
    (2, "The file does not exist"),
    (3, "The path does not exist"),
    (4, "Too many files are open"),
    (5, "Access is denied"),
    (6, "The handle is not valid"),
    (8, "There is not enough memory"),
    (13, "The data is not valid"),
    (14, "There is not enough memory"),
    (21, "The device is not ready"),
    (31, "The target does not work, or has ended"),
    (32, "The file is in use by another process"),
    (38, "The end of the file was reached"),
    (50, "The request is not supported"),
    (52, "The name exists on the network already"),
    (59, "A network error happened"),
    (
        64,
        "The network name is gone: the connection was reset or aborted",
    ),
    (87, "A parameter is not valid"),
    (109, "The pipe has ended"),
    (120, "The function is not supported on this system"),
    (121, "The time for the operation is over"),
    (122, "The buffer is too small"),
    (127, "The procedure was not found"),
    (183, "The object exists already"),
    (192, "One or more asynchronous calls ran during the wait"),
    (233, "Nobody is at the other end of the pipe"),
    (234, "There is more data"),
    (258, "The wait timed out"),
    (259, "There is no more data, or the thread still runs"),
    (288, "The caller does not own the mutex"),
    (298, "The semaphore would pass its maximum"),
    (735, "The wait was abandoned because the port was closed"),
    (995, "The operation was cancelled, or its thread ended"),
    (996, "The overlapped operation is not complete"),
    (997, "The overlapped operation is in progress"),
    (998, "The memory cannot be accessed"),
    (1168, "The element was not found"),
    (1223, "The user cancelled the operation"),
    (1225, "The remote system refused the connection"),
    (1226, "The connection was closed gracefully"),
    (1227, "The address is associated with an endpoint already"),
    (1229, "The connection does not exist"),
    (1230, "The connection is active already"),
    (1231, "The network cannot be reached"),
    (1232, "The host cannot be reached"),
    (1234, "No service listens on the remote port"),
    (1235, "The request was aborted"),
    (1236, "The local system aborted the connection"),
    (1450, "There are not enough system resources"),
    (1460, "The time for the operation is over"),
    (10004, "A blocking operation was interrupted"),
    (10009, "The file handle is not valid"),
    (10013, "The socket must not be used in that way"),
    (10014, "The address of a parameter is not valid memory"),
    (10022, "An argument is not valid, or not in this state"),
    (10024, "Too many sockets are open"),
    (10035, "The operation cannot be completed at once"),
    (10036, "A blocking operation is in progress"),
    (10037, "The operation is in progress already"),
    (10038, "The handle is not a socket"),
    (10039, "A destination address is needed"),
    (10040, "The message is larger than the buffer or the limit"),
    (10041, "The protocol does not fit the socket type"),
    (
        10042,
        "The option or the feature is not supported by the protocol",
    ),
    (10043, "The protocol is not supported"),
    (10044, "The socket type is not supported"),
    (
        10045,
        "The operation is not supported by this kind of socket",
    ),
    (10046, "The protocol family is not supported"),
    (10047, "The address family is not supported"),
    (10048, "The address is in use already"),
    (10049, "The address is not available"),
    (10050, "The network is down"),
    (10051, "The network cannot be reached"),
    (10052, "The network dropped the connection"),
    (10053, "The local system aborted the connection"),
    (10054, "The peer reset the connection"),
    (10055, "There is no buffer space"),
    (10056, "The socket is connected already"),
    (10057, "The socket is not connected"),
    (10058, "That direction of the connection was shut down"),
    (10059, "There are too many references"),
    (10060, "The connection timed out"),
    (10061, "The connection was refused"),
    (10062, "The name cannot be translated"),
    (10063, "The name is too long"),
    (10064, "The host is down"),
    (10065, "The host cannot be reached"),
    (10067, "Too many processes use Winsock"),
    (10091, "The network system is not ready"),
    (10092, "The version of Winsock is not supported"),
    (10093, "WSAStartup has not been called"),
    (10101, "The peer has shut the connection down gracefully"),
    (10102, "There are no more results"),
    (10103, "The call was cancelled"),
    (10104, "The procedure table is not valid"),
    (10105, "The service provider is not valid"),
    (10106, "The service provider could not be started"),
    (10107, "A system call failed that should not"),
    (10108, "The service is not known"),
    (10109, "The class of the service was not found"),
    (10110, "There are no more results"),
    (10111, "The call was cancelled"),
    (10112, "The query was refused"),
    (11001, "The host is not known"),
    (11002, "The name could not be resolved for now"),
    (11003, "The name could not be resolved, for good"),
    (11004, "The name is known and has no address of that kind"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_texts_are_sorted_and_end_without_a_full_stop() {
        assert!(TEXTS.is_sorted_by(|a, b| a.0 < b.0));
        assert!(TEXTS.iter().all(|(_, text)| !text.ends_with('.')));
        assert_eq!(of(10054), Some("The peer reset the connection"));
        assert_eq!(of(10066), None);
    }
}
