import json
import re
import unicodedata

import pytest
import tiny
from sets import opened

from gymline_trainer import preview
from gymline_trainer.chat import ChatFormat
from gymline_trainer.encode import Encoder
from gymline_trainer.errors import TrainerError
from gymline_trainer.options import EncodeOptions


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return tiny.saved(tmp_path_factory.mktemp("model"))


def run(capsys, tmp_path, model, rows, *args):
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    code = preview.main(["--data", str(path), "--model", str(model), *args])
    return code, *capsys.readouterr()


def test_what_is_learnt_stands_in_brackets_where_there_is_no_colour(capsys, tmp_path, model):
    code, out, _ = run(capsys, tmp_path, model, [tiny.sft_row(steps=1)], "--width", "200")
    assert code == 0 and "\x1b" not in out
    assert "⟦All done.<|im_end|>⟧" in out and "⟦Step 0.\n<tool_call>" in out and "⟦3 passed" not in out
    assert re.search(r"part 1 of 1 · \d+ tokens, \d+ trained \(\d+%\)", out)


def test_what_is_learnt_is_coloured_and_the_rest_dimmed(capsys, tmp_path, model, monkeypatch):
    code, out, _ = run(capsys, tmp_path, model, [tiny.sft_row(steps=1)], "--color", "always", "--width", "200")
    assert code == 0 and "⟦" not in out
    assert "\x1b[1;32mAll done.<|im_end|>" in out and "\x1b[2m\x1b[0m\n\x1b[2m3 passed 0" in out.replace("<tool_response>", "")
    assert out.count("\x1b[0m") >= out.count("\n") - 4
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    assert not preview._is_coloured("auto") and preview._is_coloured("always")


def test_lines_are_no_wider_than_asked_wide_letters_count_twice(capsys, tmp_path, model):
    messages = [{"role": "user", "content": "日本語" * 40}, {"role": "assistant", "content": "好" * 61 + "x" * 50}]
    code, out, _ = run(capsys, tmp_path, model, [tiny.sft_row(messages=messages)], "--width", "30")
    body = out.split("\n\n", 1)[1].splitlines()
    cells = lambda line: sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in line)
    assert code == 0 and max(map(cells, body)) in (29, 30)


def test_control_characters_are_written_out(capsys, tmp_path, model):
    messages = [{"role": "user", "content": "\x1b[2Jgone\u202e"}, {"role": "assistant", "content": "ok\r"}]
    code, out, _ = run(capsys, tmp_path, model, [tiny.sft_row(messages=messages)])
    assert code == 0 and "\\u001b[2Jgone\\u202e" in out and "\x1b" not in out and "\r" not in out


def test_any_row_of_any_algorithm_is_shown(capsys, tmp_path, model):
    _, out, _ = run(capsys, tmp_path, model, [tiny.dpo_row(0), tiny.dpo_row(1, chosen="Second.")], "--algorithm", "dpo", "--row", "2")
    assert "chosen: trajectory chosen-1" in out and "⟦Second." in out and "rejected: " in out and "I ran" not in out
    rows = tiny.grpo_rows("g", [0.2, 0.8], step_rewards=[[0.1], [0.9]])
    _, out, _ = run(capsys, tmp_path, model, rows, "--algorithm", "grpo", "--row", "2")
    assert "advantage by step: 0: +0.707, 1: +0.707, 2: +0.707" in out
    _, out, _ = run(capsys, tmp_path, model, tiny.grpo_rows("g", [0.5, 0.5]), "--algorithm", "grpo")
    assert "all equal: it is left out" in out
    _, out, _ = run(capsys, tmp_path, model, [tiny.prm_row()], "--algorithm", "prm")
    assert "2 trained" in out


def test_parts_are_shown_one_after_the_other(capsys, tmp_path, model):
    _, out, _ = run(capsys, tmp_path, model, [tiny.sft_row(steps=5)], "--max-length", "450")
    assert "part 1 of " in out and "part 2 of " in out


def test_what_is_wrong_is_one_clear_line_and_a_code(capsys, tmp_path, model):
    code, out, err = run(capsys, tmp_path, model, [tiny.sft_row()], "--row", "5")
    assert (code, out) == (1, "") and "row: there are 1 rows, numbered from 1" in err
    code, _, err = run(capsys, tmp_path, tmp_path / "nothing", [tiny.sft_row()])
    assert code == 1 and "no tokenizer can be loaded" in err and "Traceback" not in err
    code, _, err = run(capsys, tmp_path, model, [tiny.sft_row(reward=float("nan"))])
    assert code == 1 and "rows.jsonl:1" in err and "the reward is nan" in err
    with pytest.raises(SystemExit) as caught:
        preview.main([])
    assert caught.value.code == 2


def test_rows_that_are_text_need_no_chat_template(capsys, tmp_path):
    model = tiny.saved(tmp_path / "model", template=None)
    code, out, _ = run(capsys, tmp_path, model, [tiny.prm_row()], "--algorithm", "prm")
    assert code == 0 and "2 trained" in out
    code, _, err = run(capsys, tmp_path, model, [tiny.sft_row()])
    assert code == 1 and "no chat template" in err


def test_what_comes_after_the_row_is_not_encoded(tmp_path):
    dataset = opened(tmp_path, [tiny.sft_row(number) for number in range(3)])
    lines = (tmp_path / "rows.jsonl").read_text().splitlines()
    # A row that was changed is named as soon as it is read.
    (tmp_path / "rows.jsonl").write_text("\n".join([*lines[:2], "{"]))
    format = ChatFormat(tiny.tokenizer())
    assert len(list(Encoder(dataset, format, EncodeOptions(), only=2).sft())) == 1
    with pytest.raises(TrainerError, match="it was changed while it was used"):
        list(Encoder(dataset, format, EncodeOptions()).sft())
