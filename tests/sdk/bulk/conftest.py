import cv2
import pytest

from tests import tiny

PHOTOS = 40


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Photos in the tiny script, two of them in a folder, one of them damaged."""
    folder = tmp_path_factory.mktemp("photos")
    (folder / "sub").mkdir()
    for number in range(PHOTOS):
        text = "".join("ABCDEFGH"[number // 8**i % 8] for i in range(3))
        photo = tiny.draw_photo([(text, 8, 40)], (128, 128))
        path = folder / ("sub" if number < 2 else "") / f"{number:03d}.png"
        path.write_bytes(cv2.imencode(".png", photo[..., ::-1])[1].tobytes())
    (folder / "005.png").write_bytes(b"\x89PNG")
    return folder
