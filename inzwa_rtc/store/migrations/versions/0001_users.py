"""Users and what they have chosen."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "users",
        sa.Column("id", sa.String(200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("is_disabled", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("voice_mode", sa.String(20)),
        sa.Column("tts_voice", sa.String(200)),
        sa.Column("tts_speed", sa.Float()),
        sa.Column("tts_format", sa.String(10)),
        sa.Column("auto_play", sa.Boolean()),
        sa.Column("stt_language", sa.String(35)),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
    )
