//! Value types of scenarios: sizes, bit rates, rates, shares, factors, limits, and their one
//! text parser. No YAML here.
