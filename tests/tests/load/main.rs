//! Load: sessions by the thousand that do nothing, transfers by the dozen, clients that are as slow as
//! they can be, and floods of connections. Others are served meanwhile, and nothing grows without bound.

mod flood;
mod idle;
mod slow;
