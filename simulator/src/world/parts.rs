//! What the export plan needs of the world.

pub(crate) use super::fees::{county_month, restated};
pub(crate) use super::noise::rekey;
pub(crate) use super::orders::Received;
pub(crate) use super::stock::stock;
pub(crate) use super::tables::{
    admdvs, dirty, exemptions, list_map, service_costs, service_prices, surplus_assess, surplus_base, workdays,
};
pub(crate) use super::usage::fee_target;
