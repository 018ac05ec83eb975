"""Makes the message classes from the server's own protos, so that the two never differ."""

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

PROTO = Path(__file__).resolve().parent.parent.parent / "proto"


class BuildWithProtos(build_py):
    def run(self):
        super().run()
        from grpc_tools import protoc

        files = sorted(str(path) for path in PROTO.glob("musubi/v1/*.proto"))
        if not files:
            raise SystemExit(f"no protos in {PROTO}: install from a checkout of musubi, as in pip install ./tools/python")
        out = self.build_lib
        failed = protoc.main(
            ["protoc", f"-I{PROTO}", f"--python_out={out}", f"--pyi_out={out}", f"--grpc_python_out={out}", *files]
        )
        if failed:
            raise SystemExit("the protos could not be compiled")
        (Path(out) / "musubi" / "v1" / "__init__.py").touch()


setup(cmdclass={"build_py": BuildWithProtos})
