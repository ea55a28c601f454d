"""What is installed for a ComfyUI checkout."""

from pathlib import Path

from tests.nodes.host_requirements import main


def test_the_hosts_own_requirements_win(tmp_path: Path):
    (tmp_path / "requirements.txt").write_text(
        "torch\ncomfy-kitchen==0.2.31\nav>=16.0.0\ncomfyui-embedded-docs==0.5.10\n# a remark\n"
    )
    constraints = tmp_path / "ours.txt"
    constraints.write_text("# ours\ntorch==2.13.0\ncomfy_kitchen==0.2.40\nav==18.1.0\nyarl==1.2\n")
    main(tmp_path, constraints, tmp_path)
    assert (tmp_path / "requirements.txt").read_text() == "comfy-kitchen==0.2.31\nav>=16.0.0\n"
    assert (tmp_path / "constraints.txt").read_text() == "av==18.1.0\nyarl==1.2\n"
