"""From a path to Documents: discovery, detection, formats, and the processes that parse."""
