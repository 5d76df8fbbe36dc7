"""What can go wrong, and how it is told on the wire (SRV-21).

ServerError            somebody at the command line can mend it: settings, migrations
ApiError               an answer: {"error": CODE, "message": …, "statusCode": n}
├── BadRequest         400; Invalid names the field, and the row of a batch
├── Unauthorized       401
├── Forbidden          403
├── NotFound           404
├── MethodNotAllowed   405, with Allow
├── TooSlow            408
├── Conflict           409
├── TooLarge           413
├── Unsupported        415
├── TooMany            429, with Retry-After
├── Internal           500: says nothing about the inside
├── BadGateway         502: somebody else's server did not answer as it should
└── Unavailable        503, with Retry-After
"""

from http import HTTPStatus
from typing import ClassVar

from click import ClickException
from msgspec import UNSET, Struct, UnsetType


class ServerError(ClickException):
    """One plain sentence for whoever runs the server: what is wrong, and the way out."""


class ErrorBody(Struct, rename={"status_code": "statusCode"}):
    """Every answer that is not a success; ``row`` (an index) and ``field`` say what to mend."""

    error: str
    message: str
    status_code: int
    row: int | UnsetType = UNSET
    field: str | UnsetType = UNSET


class ApiError(Exception):
    """An answer that is not a success; the message is one sentence for its reader."""

    status: ClassVar[HTTPStatus] = HTTPStatus.INTERNAL_SERVER_ERROR
    default_code: ClassVar[str] = "INTERNAL"

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.headers: dict[str, str] = {}

    def body(self) -> ErrorBody:
        return ErrorBody(self.code, self.message, int(self.status))


class BadRequest(ApiError):
    status = HTTPStatus.BAD_REQUEST
    default_code = "BAD_REQUEST"


class Invalid(BadRequest):
    """A field, a query parameter, or a field of a row does not hold what it should."""

    def __init__(self, field: str, reason: str, *, row: int | None = None) -> None:
        where = f"'{field}'" if row is None else f"row {row}, '{field}'"
        super().__init__(f"{where}: {reason}", code=None if row is None else "INVALID_ROW")
        self.field, self.row = field, row

    def body(self) -> ErrorBody:
        body = super().body()
        body.field = self.field
        body.row = UNSET if self.row is None else self.row
        return body


class Unauthorized(ApiError):
    status = HTTPStatus.UNAUTHORIZED
    default_code = "UNAUTHORIZED"

    def __init__(self, message: str = "This needs a valid token.", **code: str) -> None:
        super().__init__(message, **code)
        self.headers["WWW-Authenticate"] = "Bearer"


class Forbidden(ApiError):
    status = HTTPStatus.FORBIDDEN
    default_code = "FORBIDDEN"


class NotFound(ApiError):
    status = HTTPStatus.NOT_FOUND
    default_code = "NOT_FOUND"


class MethodNotAllowed(ApiError):
    status = HTTPStatus.METHOD_NOT_ALLOWED
    default_code = "METHOD_NOT_ALLOWED"


class TooSlow(ApiError):
    status = HTTPStatus.REQUEST_TIMEOUT
    default_code = "TOO_SLOW"


class Conflict(ApiError):
    status = HTTPStatus.CONFLICT
    default_code = "CONFLICT"


class TooLarge(ApiError):
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    default_code = "PAYLOAD_TOO_LARGE"


class Unsupported(ApiError):
    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    default_code = "UNSUPPORTED_MEDIA_TYPE"


class BadGateway(ApiError):
    status = HTTPStatus.BAD_GATEWAY
    default_code = "BAD_GATEWAY"


class _Later(ApiError):
    def __init__(self, message: str, *, retry_after: int, code: str | None = None) -> None:
        super().__init__(message, code=code)
        self.headers["Retry-After"] = str(retry_after)


class TooMany(_Later):
    status = HTTPStatus.TOO_MANY_REQUESTS
    default_code = "RATE_LIMITED"


class Unavailable(_Later):
    status = HTTPStatus.SERVICE_UNAVAILABLE
    default_code = "UNAVAILABLE"


class Internal(ApiError):
    def __init__(self) -> None:
        super().__init__("Something went wrong on the server; its log has this request's id.")
