import pytest

from lab.toolchain import ToolchainError
from tests.lab.toolchain.conftest import leave_out


def test_tests_that_need_go_are_skipped_without_it_but_not_in_ci() -> None:
    error = ToolchainError("there is no `go`")
    with pytest.raises(pytest.skip.Exception, match="no `go`"):
        leave_out(error, {})
    with pytest.raises(pytest.fail.Exception, match="no `go`"):
        leave_out(error, {"CI": "true"})
