"""Whether a line of a page or of a pipeline is one that the command takes."""

import click


def require_known(command: click.Command, words: list[str]) -> None:
    """Fails unless the command has this sub-command, these options and so many arguments."""
    options = {name: each for each in command.params for name in (*each.opts, *each.secondary_opts)}
    given = 0
    rest = iter(words)
    for word in rest:
        if word.startswith("-"):
            assert word in options, (command.name, word)
            option = options[word]
            if isinstance(option, click.Option) and not option.is_flag:
                assert next(rest, None) is not None, (command.name, word)
        elif isinstance(command, click.Group):
            inner = command.get_command(click.Context(command), word)
            assert inner is not None, (command.name, word)
            require_known(inner, list(rest))
            return
        else:
            given += 1
    assert not isinstance(command, click.Group), command.name
    takes = [each for each in command.params if isinstance(each, click.Argument)]
    assert given <= len(takes) or any(each.nargs < 0 for each in takes), command.name
