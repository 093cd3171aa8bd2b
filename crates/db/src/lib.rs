//! Two database engines behind one executor.
