"""service.py MODULE OPTION...: runs main() of an OpenStack service, as the programs of its package would."""

import importlib
import sys


def mend_cinder():
    """Cinder 21 refuses its own context on each notification: oslo.messaging 14 empties `read_deleted`, which then is not
    one of the values it takes. Debian ships just these two together."""
    from cinder import context

    original = context.RequestContext.from_dict.__func__

    def from_dict(cls, values):
        return original(cls, {**values, "read_deleted": values.get("read_deleted") or "no"})

    context.RequestContext.from_dict = classmethod(from_dict)


module = sys.argv.pop(1)
sys.argv[0] = module.replace(".cmd.", "-").replace(".eventlet.", "-")
# First the service itself: it makes the standard library cooperative, and that must precede everything else.
service = importlib.import_module(module)
if module.startswith("cinder"):
    mend_cinder()
sys.exit(service.main())
