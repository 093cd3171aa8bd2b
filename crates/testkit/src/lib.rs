//! Whole test panels, actors and clocks.
