"""Names of the array types that columns and random values have."""

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
UInt64 = npt.NDArray[np.uint64]
Floats = npt.NDArray[np.float64]
Booleans = npt.NDArray[np.bool_]

#: UTF-8 bytes.
Texts = npt.NDArray[np.bytes_]

#: ``datetime64``, of days or of seconds, in UTC.
Times = npt.NDArray[np.datetime64]
