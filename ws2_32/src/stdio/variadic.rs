//! The functions with their arguments: a few lines of assembly that make a list of them, which
//! those of [`super`] take.

use std::arch::naked_asm;

use super::{
    linsock_short_vfprintf, linsock_short_vfscanf, linsock_short_vprintf, linsock_short_vscanf,
    linsock_short_vsnprintf, linsock_short_vsprintf, linsock_short_vsscanf, linsock_vfprintf,
    linsock_vfscanf, linsock_vprintf, linsock_vscanf, linsock_vsnprintf, linsock_vsprintf,
    linsock_vsscanf,
};

/// Stores the registers that may hold arguments, makes the list of those behind the first `named`
/// ones (System V ABI of x86-64, 3.5.7), and hands its address on as the argument behind them.
///
/// The frame: the list at 8, the registers at 32, the caller's stack behind 216 and the return
/// address. It is a multiple of 16 with that address, as a call wants it.
#[cfg(target_arch = "x86_64")]
macro_rules! with_list {
    ($function:ident, named 1) => { with_list!($function, 1, "rsi") };
    ($function:ident, named 2) => { with_list!($function, 2, "rdx") };
    ($function:ident, named 3) => { with_list!($function, 3, "rcx") };
    ($function:ident, $named:literal, $register:literal) => {
        naked_asm!(
            ".cfi_startproc",
            "endbr64",
            "sub rsp, 216",
            ".cfi_adjust_cfa_offset 216",
            "mov [rsp + 32], rdi",
            "mov [rsp + 40], rsi",
            "mov [rsp + 48], rdx",
            "mov [rsp + 56], rcx",
            "mov [rsp + 64], r8",
            "mov [rsp + 72], r9",
            "test al, al",
            "je 2f",
            "movaps [rsp + 80], xmm0",
            "movaps [rsp + 96], xmm1",
            "movaps [rsp + 112], xmm2",
            "movaps [rsp + 128], xmm3",
            "movaps [rsp + 144], xmm4",
            "movaps [rsp + 160], xmm5",
            "movaps [rsp + 176], xmm6",
            "movaps [rsp + 192], xmm7",
            "2:",
            concat!("mov dword ptr [rsp + 8], 8 * ", $named),
            "mov dword ptr [rsp + 12], 48",
            "lea rax, [rsp + 224]",
            "mov [rsp + 16], rax",
            "lea rax, [rsp + 32]",
            "mov [rsp + 24], rax",
            concat!("lea ", $register, ", [rsp + 8]"),
            "call {function}",
            "add rsp, 216",
            ".cfi_adjust_cfa_offset -216",
            "ret",
            ".cfi_endproc",
            function = sym $function,
        )
    };
}

/// The same (Procedure Call Standard for the Arm 64-bit Architecture, appendix B).
///
/// The frame: the caller's frame and the return address at 0, the list at 16, the real registers at
/// 48, the general ones at 176, and the caller's stack behind 240.
#[cfg(target_arch = "aarch64")]
macro_rules! with_list {
    ($function:ident, named 1) => { with_list!($function, "x1", 8 * 7) };
    ($function:ident, named 2) => { with_list!($function, "x2", 8 * 6) };
    ($function:ident, named 3) => { with_list!($function, "x3", 8 * 5) };
    ($function:ident, $register:literal, $left:expr) => {
        naked_asm!(
            ".cfi_startproc",
            "hint #34", // bti c
            "stp x29, x30, [sp, #-240]!",
            ".cfi_def_cfa_offset 240",
            ".cfi_offset x29, -240",
            ".cfi_offset x30, -232",
            "mov x29, sp",
            "stp q0, q1, [sp, #48]",
            "stp q2, q3, [sp, #80]",
            "stp q4, q5, [sp, #112]",
            "stp q6, q7, [sp, #144]",
            "stp x0, x1, [sp, #176]",
            "stp x2, x3, [sp, #192]",
            "stp x4, x5, [sp, #208]",
            "stp x6, x7, [sp, #224]",
            "add x9, sp, #240",
            "add x10, sp, #176",
            "stp x9, x9, [sp, #16]",
            "str x10, [sp, #32]",
            "mov w9, #-{left}",
            "mov w10, #-128",
            "stp w9, w10, [sp, #40]",
            concat!("add ", $register, ", sp, #16"),
            "bl {function}",
            "ldp x29, x30, [sp], #240",
            ".cfi_def_cfa_offset 0",
            "ret",
            ".cfi_endproc",
            left = const $left,
            function = sym $function,
        )
    };
}

/// printf.
///
/// # Safety
/// As of the C library's, here and below. The arguments are those of C.
#[unsafe(naked)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn linsock_printf() {
    with_list!(linsock_vprintf, named 1)
}

/// fprintf.
#[unsafe(naked)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn linsock_fprintf() {
    with_list!(linsock_vfprintf, named 2)
}

/// sprintf.
#[unsafe(naked)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn linsock_sprintf() {
    with_list!(linsock_vsprintf, named 2)
}

/// snprintf.
#[unsafe(naked)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn linsock_snprintf() {
    with_list!(linsock_vsnprintf, named 3)
}

/// scanf.
#[unsafe(naked)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn linsock_scanf() {
    with_list!(linsock_vscanf, named 1)
}

/// fscanf.
#[unsafe(naked)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn linsock_fscanf() {
    with_list!(linsock_vfscanf, named 2)
}

/// sscanf.
#[unsafe(naked)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn linsock_sscanf() {
    with_list!(linsock_vsscanf, named 2)
}

/// printf, of a program whose wide texts are UTF-16.
#[unsafe(naked)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn linsock_short_printf() {
    with_list!(linsock_short_vprintf, named 1)
}

/// fprintf, of a program whose wide texts are UTF-16.
#[unsafe(naked)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn linsock_short_fprintf() {
    with_list!(linsock_short_vfprintf, named 2)
}

/// sprintf, of a program whose wide texts are UTF-16.
#[unsafe(naked)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn linsock_short_sprintf() {
    with_list!(linsock_short_vsprintf, named 2)
}

/// snprintf, of a program whose wide texts are UTF-16.
#[unsafe(naked)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn linsock_short_snprintf() {
    with_list!(linsock_short_vsnprintf, named 3)
}

/// scanf, of a program whose wide texts are UTF-16.
#[unsafe(naked)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn linsock_short_scanf() {
    with_list!(linsock_short_vscanf, named 1)
}

/// fscanf, of a program whose wide texts are UTF-16.
#[unsafe(naked)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn linsock_short_fscanf() {
    with_list!(linsock_short_vfscanf, named 2)
}

/// sscanf, of a program whose wide texts are UTF-16.
#[unsafe(naked)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn linsock_short_sscanf() {
    with_list!(linsock_short_vsscanf, named 2)
}
