//! The options of a socket, which most sockets have from their listener or not at all.

use std::ops::Deref;
use std::os::fd::AsFd;
use std::sync::Arc;

use linsock_iocp::NtStatus;

use super::Options;

/// The options of a socket: none, its own, or those of the listener that it came from, until one of
/// the two is changed.
#[derive(Clone, Debug, Default)]
pub struct SharedOptions(Option<Arc<Options>>);

/// What a socket has whose program has set nothing.
static NONE: Options = Options::NONE;

impl Deref for SharedOptions {
    type Target = Options;

    #[inline]
    fn deref(&self) -> &Options {
        self.0.as_deref().unwrap_or(&NONE)
    }
}

impl From<Options> for SharedOptions {
    fn from(own: Options) -> Self {
        Self(Some(Arc::new(own)))
    }
}

impl SharedOptions {
    /// Changes them, which makes them this socket's own. A change that is refused leaves them as
    /// they were.
    ///
    /// # Errors
    /// What `change` says.
    pub fn change<R>(
        &mut self,
        change: impl FnOnce(&mut Options) -> Result<R, NtStatus>,
    ) -> Result<R, NtStatus> {
        let before = self.clone();
        let changed = change(self.make_mut());
        if changed.is_err() {
            *self = before;
        }
        changed
    }

    fn make_mut(&mut self) -> &mut Options {
        Arc::make_mut(self.0.get_or_insert_default())
    }

    /// Sets the linger time.
    pub fn set_linger(&mut self, seconds: Option<u16>) {
        self.make_mut().linger_seconds = seconds;
    }

    /// Takes over a listener's options, except where this socket's were set.
    pub(crate) fn inherit(&mut self, listener: Self) {
        if self.0.is_none() {
            *self = listener;
        } else if !self.is_same(&listener) {
            self.make_mut().inherit((*listener).clone());
        }
    }

    /// Tells a descriptor that came from a listener with these options, which the kernel has
    /// copied, what else it has to know.
    ///
    /// # Errors
    /// What the kernel refuses.
    pub(crate) fn apply_beyond(&self, listener: &Self, fd: impl AsFd) -> Result<(), NtStatus> {
        if self.0.is_none() || self.is_same(listener) {
            return Ok(());
        }
        self.beyond(listener).apply_all(fd)
    }

    fn is_same(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Some(own), Some(other)) => Arc::ptr_eq(own, other),
            (own, other) => own.is_none() && other.is_none(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lingering(seconds: u16) -> SharedOptions {
        let mut options = SharedOptions::default();
        options.set_linger(Some(seconds));
        options
    }

    #[test]
    fn what_is_set_is_the_sockets_own() {
        let listener = lingering(1);
        let mut accepted = SharedOptions::default();
        assert_eq!(accepted.linger(), None);
        accepted.inherit(listener.clone());
        assert!(accepted.is_same(&listener));
        assert_eq!(accepted.linger(), Some(1));
        accepted.set_linger(Some(2));
        assert_eq!((listener.linger(), accepted.linger()), (Some(1), Some(2)));
    }

    /// A refused call changes nothing.
    #[test]
    fn a_refused_change_leaves_them_as_they_were() {
        let mut options = lingering(1);
        let same = options.clone();
        let refused = options.change(|options| {
            options.linger_seconds = Some(2);
            Err::<(), _>(NtStatus::INVALID_PARAMETER)
        });
        assert_eq!(refused, Err(NtStatus::INVALID_PARAMETER));
        assert!(options.is_same(&same));
    }

    /// `Options::inherit`: what the accepting socket has set stays.
    #[test]
    fn an_accepting_socket_keeps_what_it_has_set() {
        let mut accepted = lingering(2);
        accepted.inherit(lingering(1));
        assert_eq!(accepted.linger(), Some(2));
        accepted.inherit(SharedOptions::default());
        assert_eq!(accepted.linger(), Some(2));
    }

    #[test]
    fn nothing_set_is_the_same_as_nothing_set() {
        let (none, some) = (SharedOptions::default(), lingering(1));
        assert!(none.is_same(&SharedOptions::default()));
        assert!(!none.is_same(&some) && !some.is_same(&none));
        assert!(!some.is_same(&lingering(1)), "as good as different");
    }
}
