"""Names for the array types of columns and random values."""

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
UInt64 = npt.NDArray[np.uint64]
Floats = npt.NDArray[np.float64]
Booleans = npt.NDArray[np.bool_]

#: UTF-8 bytes.
Texts = npt.NDArray[np.bytes_]

#: ``datetime64`` in units of days or seconds, in UTC.
Times = npt.NDArray[np.datetime64]
