"""Commands of the command line that fill a module each: `add` adds the parser and imports little until it runs."""
