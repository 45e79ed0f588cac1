import pytest

from lab.plugins.loopback import is_loopback


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8200", "https://127.8.0.1", "https://[::1]:6443", "http://localhost"]
)
def test_this_machine(url: str) -> None:
    assert is_loopback(url)


@pytest.mark.parametrize(
    "url", ["https://10.0.0.1:6443", "https://localhost.example.org", "https://[2001:db8::1]", ""]
)
def test_another_machine(url: str) -> None:
    assert not is_loopback(url)
