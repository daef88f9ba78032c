"""``python -m tformance_seed``."""

from tformance_seed.cli.entry import main

if __name__ == "__main__":
    main()
