"""The SQL that README.md and docs/clients.md show does what they say: it is run here."""

import re
import subprocess

import pytest
from lib.demo import ROOT

DOCUMENTS = ("README.md", "docs/clients.md")
BLOCK = re.compile(r"^```sql\n(.*?)^```$", re.M | re.S)
NAMES = "{wiki,spa,desktop,nightly}"        # which the tests use as well


@pytest.mark.parametrize("document", DOCUMENTS)
def test_sql(bed, document):
    blocks = BLOCK.findall((ROOT / document).read_text())
    assert blocks
    script = f"BEGIN; DELETE FROM postern.client WHERE client_id = ANY ('{NAMES}');\n" + "".join(blocks) + "ROLLBACK;"
    done = subprocess.run([*bed.env["POSTERN_PSQL"], "-X", "-q", "-v", "ON_ERROR_STOP=1"], input=script, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
