"""Whether a token was signed with a key: joserfc, held to one algorithm that the key is for."""

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwa import JWSAlgModel
from joserfc.jws import JWSRegistry

from student_hub.access.tokens.errors import Flaw, TokenRefused
from student_hub.access.tokens.keys import PublicKey
from student_hub.access.tokens.reading import LONGEST, Unproven

RENAMED = {"EdDSA": "Ed25519"}
"""joserfc warns of the old name, and would take Ed448 for it too."""


class _Registry(JWSRegistry):
    max_header_length = LONGEST

    def get_alg(self, name: str) -> JWSAlgModel:
        return super().get_alg(RENAMED.get(name, name))


ALLOWED = _Registry(algorithms=["RS256", "PS256", "ES256", "Ed25519"], strict_check_header=False)


def prove(token: Unproven, key: PublicKey) -> None:
    """Nothing when the key signed exactly what was read; TokenRefused otherwise."""
    if key.name != (token.kid, token.algorithm):
        raise TokenRefused(Flaw.KEY)
    try:
        signed = jws.deserialize_compact(token.text, key.key, registry=ALLOWED)
    except (JoseError, ValueError) as error:
        raise TokenRefused(Flaw.SIGNATURE) from error
    if signed.payload != token.payload:
        raise TokenRefused(Flaw.SIGNATURE)
