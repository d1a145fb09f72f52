//! Every finer rule, with the example that asked for it.
