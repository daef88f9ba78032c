"""``python -m tformance_seed``."""

from tformance_seed.cli.app import main

if __name__ == "__main__":
    main()
