use core::fmt;
use core::num::{NonZeroU32, TryFromIntError};

/// Stands for either way of naming a message: [`Uid`] or [`SeqNum`].
///
/// Sealed: a set is of the one or the other, and they never mix.
pub trait Identifier: sealed::Sealed + Copy + Ord + core::hash::Hash + fmt::Debug + fmt::Display {}

pub(crate) mod sealed {
    use core::num::NonZeroU32;

    pub trait Sealed: Copy + Ord {
        /// What comes before the name of a command that takes these: `UID ` or nothing.
        const PREFIX: &'static str;

        fn wrap(number: NonZeroU32) -> Self;
        fn number(self) -> NonZeroU32;

        fn from_number(number: u32) -> Option<Self> {
            NonZeroU32::new(number).map(Self::wrap)
        }
        /// The next one, or itself at the end.
        fn after(self) -> Self {
            Self::wrap(self.number().saturating_add(1))
        }
        /// The one before, or itself at the beginning.
        fn before(self) -> Self {
            Self::from_number(self.number().get() - 1).unwrap_or(self)
        }
        /// How many lie between both, both included. `self` must not be greater.
        fn count_to(self, last: Self) -> u64 {
            u64::from(last.number().get()).saturating_sub(self.number().get().into()) + 1
        }
    }
}

macro_rules! non_zero {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(NonZeroU32);

        impl $name {
            /// The lowest one.
            pub const MIN: Self = $name(NonZeroU32::MIN);
            /// The highest one.
            pub const MAX: Self = $name(NonZeroU32::MAX);

            /// Returns it, or `None` for zero, which the protocol knows no use for.
            pub const fn new(number: u32) -> Option<Self> {
                match NonZeroU32::new(number) {
                    Some(number) => Some($name(number)),
                    None => None,
                }
            }

            /// The number.
            #[inline]
            pub const fn get(self) -> u32 {
                self.0.get()
            }
        }

        impl From<NonZeroU32> for $name {
            fn from(number: NonZeroU32) -> Self {
                $name(number)
            }
        }

        impl From<$name> for u32 {
            fn from(value: $name) -> u32 {
                value.get()
            }
        }

        impl TryFrom<u32> for $name {
            type Error = TryFromIntError;

            fn try_from(number: u32) -> Result<Self, TryFromIntError> {
                NonZeroU32::try_from(number).map($name)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }
    };
}

non_zero! {
    /// Names a message for as long as the [`UidValidity`] of its mailbox stays.
    ///
    /// RFC 9051 §2.3.1.1
    Uid
}

non_zero! {
    /// Names a message by its position in the mailbox, which changes with every expunge.
    ///
    /// RFC 9051 §2.3.1.2
    SeqNum
}

non_zero! {
    /// Says which generation of UIDs a mailbox hands out: with another one all UIDs that were kept are void.
    ///
    /// RFC 9051 §2.3.1.1
    UidValidity
}

macro_rules! identifier {
    ($name:ident, $prefix:literal) => {
        impl Identifier for $name {}
        impl sealed::Sealed for $name {
            const PREFIX: &'static str = $prefix;

            #[inline]
            fn wrap(number: NonZeroU32) -> Self {
                $name(number)
            }
            #[inline]
            fn number(self) -> NonZeroU32 {
                self.0
            }
        }
    };
}

identifier!(Uid, "UID ");
identifier!(SeqNum, "");

#[cfg(test)]
mod tests {
    use std::format;

    use super::*;

    #[test]
    fn zero_is_no_identifier() {
        assert_eq!(Uid::new(0), None);
        assert!(SeqNum::try_from(0).is_err());
        assert_eq!(UidValidity::new(7).map(UidValidity::get), Some(7));
    }

    #[test]
    fn debug_names_the_type_and_display_is_the_number() {
        assert_eq!(format!("{:?} {}", Uid::MAX, Uid::MIN), "Uid(4294967295) 1");
    }
}
