"""The pipeline author's path against a real server with real linked data."""

import asyncio
import os
import re
import socket
import subprocess
import tempfile
import threading
import unittest
from pathlib import Path

import grpc
import pandas as pd
import pyarrow.parquet as pq

import musubi

MUSUBI = os.environ["MUSUBI"]
PERSONS = "400"


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


class WithServer(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = Path(cls.temporary.name) / "op"
        cls.command("demo", "--persons", PERSONS, "--seed", "7", "--dir", cls.folder)
        config = cls.folder / "musubi.toml"
        cls.address = f"localhost:{free_port()}"
        text = re.sub(r'listen = "127.0.0.1:\d+"', 'listen = "127.0.0.1:0"', config.read_text())
        grpc_port = cls.address.rsplit(":")[-1]
        config.write_text(text.replace('listen = "127.0.0.1:0"', f'listen = "127.0.0.1:{grpc_port}"', 1))
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        cls.server = subprocess.Popen([MUSUBI, "serve", "--config", config], **quiet)
        cls.client = cls.connect()
        grpc.channel_ready_future(cls.client._channel).result(timeout=60)

    @classmethod
    def tearDownClass(cls):
        cls.client.close()
        cls.server.terminate()
        cls.server.wait(timeout=60)
        cls.temporary.cleanup()

    @classmethod
    def command(cls, *arguments):
        subprocess.run([MUSUBI, *map(str, arguments)], check=True, capture_output=True)

    @classmethod
    def connect(cls, role="pipeline"):
        return musubi.Client.from_folder(cls.folder, role=role, address=cls.address)

    def project(self, name, domain="pseudonymised"):
        where = ["--dir", self.folder, "--server", f"https://{self.address}"]
        words = ["--recipient", "a university", "--purpose", "a study"]
        self.command("project", "create", name, "--domain", domain, *words, *where)


class Pipeline(WithServer):
    def test_link_and_join_with_clinical_data(self):
        states = []
        run = self.client.start()
        for run in self.client.watch(run.id):
            states.append(run.state)
        self.assertEqual(states[-1], "succeeded")
        self.assertEqual(self.client.run(run.id).id, run.id)
        self.assertEqual(next(self.client.runs()).id, run.id)
        self.assertIn("people", run._repr_html_())
        self.assertEqual(run.report.record_count, sum(one.records for one in self.client.sources()))

        frame = self.client.entities().to_pandas()
        self.assertEqual(list(frame.columns), ["source", "record_ref", "entity"])
        self.assertEqual(frame.entity.nunique(), run.report.entity_count)
        one = frame.iloc[0]
        self.assertEqual(self.client.resolve(one.source, one.record_ref), one.entity)
        self.assertIn((one.source, one.record_ref), list(self.client.records(one.entity)))

        self.project("join")
        pseudonyms = self.client.pseudonyms("join").to_pandas()
        clinical = frame[["source", "record_ref"]].head(50).assign(systolic=range(50))
        joined = clinical.merge(pseudonyms, on=["source", "record_ref"], how="left", validate="1:1")
        self.assertFalse(joined.pseudonym.isna().any())
        # Records of one person have one pseudonym, and those of two have two.
        both = frame.merge(pseudonyms, on=["source", "record_ref"], validate="1:1")
        self.assertEqual(both.groupby("entity").pseudonym.nunique().max(), 1)
        self.assertEqual(both.groupby("pseudonym").entity.nunique().max(), 1)

    def test_parquet_with_its_manifest(self):
        self.project("parquet", "anonymised")
        path = self.folder / "pseudonyms.parquet"
        rows = self.client.pseudonyms("parquet").to_parquet(path)
        table = pq.read_table(path)
        self.assertEqual(table.num_rows, rows)
        self.assertTrue(all(len(one) == 28 for one in table["pseudonym"].to_pylist()))
        manifest = pd.read_json(path.with_name("pseudonyms.parquet.manifest.json"), typ="series")
        self.assertEqual((manifest.project, manifest.rows, manifest.version), ("parquet", rows, 1))
        self.assertEqual(manifest.exported_by, "pipeline/operator")
        self.assertIn("parquet", [project.name for project in self.client.projects()])

    def test_rows_are_read_once(self):
        rows = self.client.entities()
        self.assertGreater(rows.to_arrow().num_rows, 0)
        with self.assertRaises(RuntimeError):
            rows.to_arrow()

    def test_refusals_carry_their_reason(self):
        for call, kind, reason in [
            (lambda: self.client.run("0" * 32), musubi.NotFound, "RUN_NOT_FOUND"),
            (lambda: self.client.resolve("hosp_a", "none"), musubi.NotFound, "RECORD_NOT_FOUND"),
            (lambda: self.client.pseudonyms("none").to_arrow(), musubi.NotFound, "PROJECT_NOT_FOUND"),
            (lambda: self.client.start(upper=1, lower=2), musubi.MusubiError, "MALFORMED"),
        ]:
            with self.assertRaises(kind) as caught:
                call()
            self.assertEqual(caught.exception.reason, reason)
        with self.connect("officer") as officer, self.assertRaises(musubi.NotAllowed) as caught:
            officer.resolve("hosp_a", "x")
        self.assertEqual(caught.exception.reason, "ROLE")
        with self.assertRaises(ValueError):
            self.client.start(upper=1)

    def test_nobody_there(self):
        address = f"localhost:{free_port()}"
        with musubi.Client.from_folder(self.folder, address=address) as client, self.assertRaises(musubi.TryAgain) as caught:
            client.sources()
        self.assertIsNone(caught.exception.reason)
        self.assertIn("musubi serve", str(caught.exception))

    def test_the_same_with_asyncio(self):
        async def walk():
            async with musubi.AsyncClient.from_folder(self.folder, address=self.address) as client:
                sources, run = await asyncio.gather(client.sources(), client.link())
                rows = [row async for batch in client.entities() for row in batch]
                source, record_ref, entity = rows[0]
                self.assertEqual(await client.resolve(source, record_ref), entity)
                self.assertEqual(len(rows), run.report.record_count)
                self.assertEqual(len(rows), sum(one.records for one in sources))
                with self.assertRaises(musubi.NotFound):
                    await client.run("0" * 32)

        asyncio.run(walk())

    def test_threads_share_a_client(self):
        frame = self.client.entities().to_pandas().head(40)
        answers = [None] * len(frame)

        def ask(row):
            answers[row] = self.client.resolve(frame.source[row], frame.record_ref[row])

        threads = [threading.Thread(target=ask, args=(row,)) for row in range(len(frame))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(answers, list(frame.entity))


if __name__ == "__main__":
    unittest.main()
