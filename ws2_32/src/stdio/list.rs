//! A list of arguments (`va_list`), as the two machines have it: where the next argument of each
//! kind lies.

#[cfg(target_arch = "aarch64")]
pub(super) use aarch64::List;
#[cfg(target_arch = "x86_64")]
pub(super) use x86_64::List;

/// System V ABI of x86-64, 3.5.7.
#[cfg(target_arch = "x86_64")]
mod x86_64 {
    #[repr(C)]
    #[derive(Clone, Copy)]
    pub(in super::super) struct List {
        /// Where the next integer lies among the saved registers, in octets.
        general: u32,
        /// Where the next real number lies there.
        real: u32,
        overflow: *mut u64,
        saved: *mut u8,
    }

    /// Where the registers of each kind end.
    const GENERAL_END: u32 = 48;
    const REAL_END: u32 = 176;

    impl List {
        /// The place of the next integer or pointer.
        pub(in super::super) fn word(&mut self) -> *mut u64 {
            if self.general >= GENERAL_END {
                return self.memory(1);
            }
            let at = self.saved.wrapping_add(self.general as usize);
            self.general += 8;
            at.cast()
        }

        fn memory(&mut self, words: usize) -> *mut u64 {
            let at = self.overflow;
            self.overflow = at.wrapping_add(words);
            at
        }

        pub(in super::super) fn pass_real(&mut self) {
            if self.real < REAL_END {
                self.real += 16;
            } else {
                self.memory(1);
            }
        }

        /// A long double: of 80 bits, always in memory.
        pub(in super::super) fn pass_long_real(&mut self) {
            if !self.overflow.addr().is_multiple_of(16) {
                self.memory(1);
            }
            self.memory(2);
        }
    }
}

/// Procedure Call Standard for the Arm 64-bit Architecture, appendix B.
#[cfg(target_arch = "aarch64")]
mod aarch64 {
    #[repr(C)]
    #[derive(Clone, Copy)]
    pub(in super::super) struct List {
        overflow: *mut u64,
        /// Where the saved general registers end, and where the real ones.
        general_end: *mut u8,
        real_end: *mut u8,
        /// Where the next of each lies before its end, in octets: negative, and 0 or more when
        /// there is none left.
        general: i32,
        real: i32,
    }

    impl List {
        /// The place of the next integer or pointer.
        pub(in super::super) fn word(&mut self) -> *mut u64 {
            if self.general >= 0 {
                return self.memory(1);
            }
            let at = self.general_end.wrapping_offset(self.general as isize);
            self.general += 8;
            at.cast()
        }

        fn memory(&mut self, words: usize) -> *mut u64 {
            let at = self.overflow;
            self.overflow = at.wrapping_add(words);
            at
        }

        pub(in super::super) fn pass_real(&mut self) {
            if self.real < 0 {
                self.real += 16;
            } else {
                self.memory(1);
            }
        }

        /// A long double: of 128 bits, in a register as long as there is one.
        pub(in super::super) fn pass_long_real(&mut self) {
            if self.real < 0 {
                self.real += 16;
                return;
            }
            if !self.overflow.addr().is_multiple_of(16) {
                self.memory(1);
            }
            self.memory(2);
        }
    }
}
