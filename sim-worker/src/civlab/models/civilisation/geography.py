"""Draws and settles the maps of a batch, before the rest of a world can be laid out.

How many citizens a region has decides how many slots its people, households and firms need, so the map comes first; its
cells are working columns that are gone once the regions stand.
"""

from __future__ import annotations

import numpy as np

from civlab.models.civilisation.layout import SITE
from civlab.models.civilisation.layout_land import LAND
from civlab.runtime.arrays import Arrays

CELLS = tuple(column.name for column in SITE if column.per == "site")


def survey(arrays: Arrays) -> np.ndarray:
    """Fills every static and dynamic column of the regions that the map decides.

    Needs the plan columns of members and regions, `lands`, and the regions' columns allocated.

    Returns:
        Citizens of each region at the start, u4 [regions of all members].
    """
    first = first_sites(arrays)
    arrays.upload({"member_site": first})
    for name in CELLS:
        arrays.allocate(name)
    arrays.run("civilisation_map", "member")
    arrays.backend.finish()
    for name in CELLS:
        arrays.release(name)
    del arrays.sizes["site"]
    return np.array(arrays.backend.download(arrays.column["region_settled"]), "u4")


def first_sites(arrays: Arrays) -> np.ndarray:
    """First cell of each member's map, u4 [members]; makes room for all cells."""
    lands = arrays.backend.download(arrays.column["lands"]).view(LAND.dtype())
    cells = lands["width"].astype("i8") * lands["height"]
    sites = cells[arrays.backend.download(arrays.column["member_scenario"])]
    arrays.sizes["site"] = int(sites.sum())
    return np.array(np.cumsum(sites) - sites, "u4")
