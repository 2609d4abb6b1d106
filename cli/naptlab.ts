#!/usr/bin/env node
// The command line: which commands there are, and what their ends mean. Exit codes: 0 good, 1 a check failed or a request was
// refused, 2 wrong usage or a missing prerequisite.
