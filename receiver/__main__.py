"""The command line: `alertsage COMMAND`, see `alertsage --help`."""

from receiver.commands.main import main

if __name__ == "__main__":
    main(prog_name="alertsage")
