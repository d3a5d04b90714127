"""Links, servers and providers for these tests; after each nothing may be left behind."""

import gevent
import pytest

from bridge.wire.frames import Role
from tests.integration.wire.media_site import Site
from tests.integration.wire.provider_peer import Provider, Session
from tests.wire.ws.peers import PAIRS, Owner, Peer, nothing_left_behind, tcp_pair

clean = pytest.fixture(autouse=True)(nothing_left_behind)


@pytest.fixture(params=PAIRS)
def wire(request):
    """A link as client or server, its owner and its peer."""
    ours, theirs = PAIRS[request.param]()
    owner = Owner()
    # A TLS link is a client's in production: providers are reached by wss.
    tls = request.param == "tls"
    link = owner.link(ours, Role.CLIENT if tls else Role.SERVER)
    peer = Peer(theirs, Role.SERVER if tls else Role.CLIENT)
    yield link, owner, peer
    link.abort()
    peer.sock.close()
    owner.wait_closed()


@pytest.fixture
def server():
    """A server's link over TCP."""
    ours, theirs = tcp_pair()
    owner = Owner()
    link = owner.link(ours)
    peer = Peer(theirs)
    yield link, owner, peer
    link.abort()
    peer.sock.close()
    owner.wait_closed()


@pytest.fixture
def make_site():
    sites = []

    def make(**options):
        sites.append(Site(**options))
        return sites[-1]

    yield make
    for site in sites:
        site.close()


@pytest.fixture
def site(make_site):
    return make_site()


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def make():
    """Providers and sessions that are cleared away."""
    made = []

    def build(*answers, tls=None, **options):
        provider = Provider(*answers, tls=tls)
        session = Session(provider.url, **options).start()
        made.extend([session.host, provider])
        return provider, session

    yield build
    for thing in made:
        thing.close()
    gevent.sleep(0.001)
