"""The first schema of sales; the ledger of promises is closed against rewriting by the database itself."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0001'
down_revision = None
branch_labels = None
depends_on = None

APPEND_ONLY = ("promises", "statements", "notice_policy_versions")


def upgrade() -> None:
    op.create_table('acts',
    sa.Column('act_id', sa.UUID(), nullable=False),
    sa.Column('act', sa.Text(), nullable=False),
    sa.Column('route', sa.Text(), nullable=False),
    sa.Column('subject', sa.Text(), nullable=False),
    sa.Column('role', sa.Text(), nullable=False),
    sa.Column('path', sa.Text(), nullable=False),
    sa.Column('body', postgresql.JSONB(astext_type=sa.Text()), nullable=True),
    sa.Column('traceparent', sa.Text(), nullable=True),
    sa.Column('recorded_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('machine_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('act_id')
    )
    op.create_table('attempt_marks',
    sa.Column('topic', sa.Text(), nullable=False),
    sa.Column('partition', sa.Integer(), nullable=False),
    sa.Column('offset', sa.BigInteger(), nullable=False),
    sa.Column('reaction', sa.Text(), nullable=False),
    sa.Column('marked_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('topic', 'partition', 'offset', 'reaction')
    )
    op.create_table('customers',
    sa.Column('customer_id', sa.UUID(), nullable=False),
    sa.Column('code', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('tier', sa.Text(), nullable=False),
    sa.Column('contact', sa.Text(), nullable=True),
    sa.Column('zone', sa.Text(), nullable=False),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('occurred_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('recorded_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('customer_id'),
    sa.UniqueConstraint('code')
    )
    op.create_table('dead_letters',
    sa.Column('dead_letter_id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('topic', sa.Text(), nullable=False),
    sa.Column('partition', sa.Integer(), nullable=False),
    sa.Column('offset', sa.BigInteger(), nullable=False),
    sa.Column('reaction', sa.Text(), nullable=False),
    sa.Column('key', sa.Text(), nullable=False),
    sa.Column('type', sa.Text(), nullable=False),
    sa.Column('value', sa.LargeBinary(), nullable=False),
    sa.Column('waiting', sa.Boolean(), nullable=False),
    sa.Column('cause', sa.Text(), nullable=False),
    sa.Column('detail', sa.Text(), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('stored_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('resolved_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('resolution', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('dead_letter_id'),
    sa.UniqueConstraint('topic', 'partition', 'offset', 'reaction', name='dead_letters_topic_once')
    )
    op.create_table('effect_attempts',
    sa.Column('effect', sa.Text(), nullable=False),
    sa.Column('key', sa.Text(), nullable=False),
    sa.Column('attempt', sa.Integer(), nullable=False),
    sa.Column('outcome', sa.Text(), nullable=True),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('effect', 'key', 'attempt')
    )
    op.create_table('idempotency_keys',
    sa.Column('key', sa.Text(), nullable=False),
    sa.Column('route', sa.Text(), nullable=False),
    sa.Column('subject', sa.Text(), nullable=False),
    sa.Column('content_hash', sa.Text(), nullable=False),
    sa.Column('status', sa.Integer(), nullable=False),
    sa.Column('body', sa.Text(), nullable=False),
    sa.Column('stored_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('subject', 'route', 'key')
    )
    op.create_table('impacts',
    sa.Column('impact_id', sa.UUID(), nullable=False),
    sa.Column('cause_kind', sa.Text(), nullable=False),
    sa.Column('cause_id', sa.UUID(), nullable=False),
    sa.Column('assessment', sa.Integer(), nullable=False),
    sa.Column('site', sa.Text(), nullable=True),
    sa.Column('value_amount', sa.Numeric(), nullable=False),
    sa.Column('value_currency', sa.Text(), nullable=False),
    sa.Column('unmatched_lines', sa.Integer(), nullable=False),
    sa.Column('task_ids', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('occurred_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('recorded_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('impact_id')
    )
    op.create_index('impacts_cause_id_find', 'impacts', ['cause_id'], unique=False)
    op.create_index('impacts_recorded_at_impact_id_list', 'impacts', ['recorded_at', 'impact_id'], unique=False)
    op.create_table('inbox',
    sa.Column('event_id', sa.UUID(), nullable=False),
    sa.Column('reaction', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('event_id', 'reaction')
    )
    op.create_table('notice_books',
    sa.Column('task_id', sa.UUID(), nullable=False),
    sa.Column('case_id', sa.UUID(), nullable=False),
    sa.Column('cause_kind', sa.Text(), nullable=False),
    sa.Column('cause_id', sa.UUID(), nullable=False),
    sa.Column('closed_because', sa.Text(), nullable=True),
    sa.Column('occurred_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('recorded_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('task_id')
    )
    op.create_index('notice_books_case_id_find', 'notice_books', ['case_id'], unique=False)
    op.create_table('notice_policies',
    sa.Column('policy_id', sa.UUID(), nullable=False),
    sa.Column('revision', sa.Integer(), nullable=False),
    sa.Column('automatic', sa.Boolean(), nullable=False),
    sa.Column('automatic_tiers', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('automatic_value_max_amount', sa.Numeric(), nullable=True),
    sa.Column('automatic_value_max_currency', sa.Text(), nullable=True),
    sa.Column('default_slip_days', sa.Integer(), nullable=False),
    sa.Column('retry_minutes', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('made_by', postgresql.JSONB(astext_type=sa.Text()), nullable=True),
    sa.Column('occurred_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('recorded_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('policy_id')
    )
    op.create_table('notice_policy_versions',
    sa.Column('policy_id', sa.UUID(), nullable=False),
    sa.Column('revision', sa.Integer(), nullable=False),
    sa.Column('content', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('occurred_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('recorded_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('policy_id', 'revision')
    )
    op.create_table('notices',
    sa.Column('notice_id', sa.UUID(), nullable=False),
    sa.Column('task_id', sa.UUID(), nullable=False),
    sa.Column('case_id', sa.UUID(), nullable=False),
    sa.Column('cause_kind', sa.Text(), nullable=False),
    sa.Column('cause_id', sa.UUID(), nullable=False),
    sa.Column('customer', sa.Text(), nullable=False),
    sa.Column('site', sa.Text(), nullable=False),
    sa.Column('revision', sa.Integer(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.Column('approved_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('approved_by', postgresql.JSONB(astext_type=sa.Text()), nullable=True),
    sa.Column('automatic', sa.Boolean(), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('sent_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('transport', sa.Text(), nullable=True),
    sa.Column('occurred_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('recorded_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('notice_id')
    )
    op.create_index('notices_case_id_find', 'notices', ['case_id'], unique=False)
    op.create_index('notices_recorded_at_notice_id_list', 'notices', ['recorded_at', 'notice_id'], unique=False)
    op.create_table('orders',
    sa.Column('order_id', sa.UUID(), nullable=False),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('reference', sa.Text(), nullable=False),
    sa.Column('customer', sa.Text(), nullable=False),
    sa.Column('site', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('cancelled_because', sa.Text(), nullable=True),
    sa.Column('occurred_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('recorded_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('order_id')
    )
    op.create_index('orders_recorded_at_order_id_list', 'orders', ['recorded_at', 'order_id'], unique=False)
    op.create_index('orders_reference_find', 'orders', ['reference'], unique=False)
    op.create_table('outbox',
    sa.Column('position', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('event_id', sa.UUID(), nullable=False),
    sa.Column('topic', sa.Text(), nullable=False),
    sa.Column('key', sa.Text(), nullable=False),
    sa.Column('type', sa.Text(), nullable=False),
    sa.Column('payload', sa.Text(), nullable=False),
    sa.Column('stored_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('published_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('position')
    )
    op.create_index('outbox_position_pending', 'outbox', ['position'], unique=False, postgresql_where=sa.text('published_at IS NULL'))
    op.create_table('parked_subjects',
    sa.Column('topic', sa.Text(), nullable=False),
    sa.Column('key', sa.Text(), nullable=False),
    sa.Column('reaction', sa.Text(), nullable=False),
    sa.Column('parked_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('topic', 'key', 'reaction')
    )
    op.create_table('recorded_sends',
    sa.Column('effect', sa.Text(), nullable=False),
    sa.Column('key', sa.Text(), nullable=False),
    sa.Column('recipient', sa.Text(), nullable=False),
    sa.Column('content', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('recorded_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('effect', 'key')
    )
    op.create_table('signals',
    sa.Column('signal_id', sa.UUID(), nullable=False),
    sa.Column('door', sa.Text(), nullable=False),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('key', sa.Text(), nullable=False),
    sa.Column('content_hash', sa.Text(), nullable=False),
    sa.Column('content', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('result_id', sa.Text(), nullable=True),
    sa.Column('subject', sa.Text(), nullable=False),
    sa.Column('recorded_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('signal_id'),
    sa.UniqueConstraint('door', 'source', 'key', name='signals_door_source_key_once')
    )
    op.create_table('statements',
    sa.Column('statement_id', sa.UUID(), nullable=False),
    sa.Column('order_line_id', sa.UUID(), nullable=False),
    sa.Column('customer', sa.Text(), nullable=False),
    sa.Column('site', sa.Text(), nullable=False),
    sa.Column('channel', sa.Text(), nullable=False),
    sa.Column('stated_version', sa.Integer(), nullable=False),
    sa.Column('stated_on', sa.Date(), nullable=False),
    sa.Column('current_version', sa.Integer(), nullable=False),
    sa.Column('promised_on', sa.Date(), nullable=False),
    sa.Column('contradicts', sa.Boolean(), nullable=False),
    sa.Column('occurred_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('recorded_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('statement_id')
    )
    op.create_index('statements_order_line_id_list', 'statements', ['order_line_id', 'recorded_at'], unique=False)
    op.create_table('timers',
    sa.Column('timer_id', sa.UUID(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('subject', sa.Text(), nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('rule', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('rule_key', sa.Text(), nullable=False),
    sa.Column('detail', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('armed_by', sa.UUID(), nullable=False),
    sa.Column('armed_kind', sa.Text(), nullable=False),
    sa.Column('correlation_id', sa.UUID(), nullable=False),
    sa.Column('traceparent', sa.Text(), nullable=True),
    sa.Column('armed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('fired_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('disarmed_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('timer_id')
    )
    op.create_index('timers_due_at_pending', 'timers', ['due_at'], unique=False, postgresql_where=sa.text('fired_at IS NULL AND disarmed_at IS NULL'))
    op.create_index('timers_name_subject_pending', 'timers', ['name', 'subject'], unique=False, postgresql_where=sa.text('fired_at IS NULL AND disarmed_at IS NULL'))
    op.create_table('world_clock',
    sa.Column('one', sa.Boolean(), nullable=False),
    sa.Column('now', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('one')
    )
    op.create_table('impact_lines',
    sa.Column('impact_id', sa.UUID(), nullable=False),
    sa.Column('shipment_line_id', sa.UUID(), nullable=False),
    sa.Column('order_id', sa.UUID(), nullable=False),
    sa.Column('order_line_id', sa.UUID(), nullable=False),
    sa.Column('customer', sa.Text(), nullable=False),
    sa.Column('tier', sa.Text(), nullable=False),
    sa.Column('item', sa.Text(), nullable=False),
    sa.Column('site', sa.Text(), nullable=False),
    sa.Column('quantity', sa.Numeric(), nullable=False),
    sa.Column('value_amount', sa.Numeric(), nullable=False),
    sa.Column('value_currency', sa.Text(), nullable=False),
    sa.Column('promised_on', sa.Date(), nullable=False),
    sa.Column('promise_version', sa.Integer(), nullable=False),
    sa.Column('proposed_on', sa.Date(), nullable=False),
    sa.ForeignKeyConstraint(['impact_id'], ['impacts.impact_id'], ),
    sa.PrimaryKeyConstraint('impact_id', 'shipment_line_id')
    )
    op.create_table('notice_book_entries',
    sa.Column('task_id', sa.UUID(), nullable=False),
    sa.Column('notice_id', sa.UUID(), nullable=False),
    sa.Column('customer', sa.Text(), nullable=False),
    sa.Column('to_go', sa.Boolean(), nullable=False),
    sa.ForeignKeyConstraint(['task_id'], ['notice_books.task_id'], ),
    sa.PrimaryKeyConstraint('task_id', 'notice_id')
    )
    op.create_table('notice_lines',
    sa.Column('notice_id', sa.UUID(), nullable=False),
    sa.Column('order_line_id', sa.UUID(), nullable=False),
    sa.Column('order_id', sa.UUID(), nullable=False),
    sa.Column('order_reference', sa.Text(), nullable=False),
    sa.Column('line_reference', sa.Text(), nullable=False),
    sa.Column('item', sa.Text(), nullable=False),
    sa.Column('quantity', sa.Numeric(), nullable=False),
    sa.Column('value_amount', sa.Numeric(), nullable=False),
    sa.Column('value_currency', sa.Text(), nullable=False),
    sa.Column('promise_version', sa.Integer(), nullable=False),
    sa.Column('promised_on', sa.Date(), nullable=False),
    sa.Column('proposed_on', sa.Date(), nullable=False),
    sa.ForeignKeyConstraint(['notice_id'], ['notices.notice_id'], ),
    sa.PrimaryKeyConstraint('notice_id', 'order_line_id')
    )
    op.create_table('order_lines',
    sa.Column('order_id', sa.UUID(), nullable=False),
    sa.Column('order_line_id', sa.UUID(), nullable=False),
    sa.Column('reference', sa.Text(), nullable=False),
    sa.Column('item', sa.Text(), nullable=False),
    sa.Column('quantity', sa.Numeric(), nullable=False),
    sa.Column('value_amount', sa.Numeric(), nullable=False),
    sa.Column('value_currency', sa.Text(), nullable=False),
    sa.Column('requested_on', sa.Date(), nullable=False),
    sa.Column('promised_on', sa.Date(), nullable=False),
    sa.Column('promise_version', sa.Integer(), nullable=False),
    sa.Column('first_promised_on', sa.Date(), nullable=False),
    sa.Column('told_on', sa.Date(), nullable=False),
    sa.Column('confirmed_on', sa.Date(), nullable=True),
    sa.Column('actual_on', sa.Date(), nullable=True),
    sa.Column('received_quantity', sa.Numeric(), nullable=False),
    sa.Column('occurred_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('recorded_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['order_id'], ['orders.order_id'], ),
    sa.PrimaryKeyConstraint('order_id', 'order_line_id')
    )
    op.create_index('order_lines_order_line_id_find', 'order_lines', ['order_line_id'], unique=True)
    op.create_table('promises',
    sa.Column('order_id', sa.UUID(), nullable=False),
    sa.Column('order_line_id', sa.UUID(), nullable=False),
    sa.Column('promise_version', sa.Integer(), nullable=False),
    sa.Column('promised_on', sa.Date(), nullable=False),
    sa.Column('previous_on', sa.Date(), nullable=True),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('made_by', postgresql.JSONB(astext_type=sa.Text()), nullable=True),
    sa.Column('cause', postgresql.JSONB(astext_type=sa.Text()), nullable=True),
    sa.Column('notice_id', sa.UUID(), nullable=True),
    sa.Column('occurred_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('recorded_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['order_id'], ['orders.order_id'], ),
    sa.PrimaryKeyConstraint('order_id', 'order_line_id', 'promise_version')
    )
    op.execute(
        """
        CREATE FUNCTION refuse_rewriting() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'rows of % are added and never changed', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
        END $$
        """
    )
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION refuse_rewriting()"
        )


def downgrade() -> None:
    op.drop_table('promises')
    op.drop_index('order_lines_order_line_id_find', table_name='order_lines')
    op.drop_table('order_lines')
    op.drop_table('notice_lines')
    op.drop_table('notice_book_entries')
    op.drop_table('impact_lines')
    op.drop_table('world_clock')
    op.drop_index('timers_name_subject_pending', table_name='timers', postgresql_where=sa.text('fired_at IS NULL AND disarmed_at IS NULL'))
    op.drop_index('timers_due_at_pending', table_name='timers', postgresql_where=sa.text('fired_at IS NULL AND disarmed_at IS NULL'))
    op.drop_table('timers')
    op.drop_index('statements_order_line_id_list', table_name='statements')
    op.drop_table('statements')
    op.drop_table('signals')
    op.drop_table('recorded_sends')
    op.drop_table('parked_subjects')
    op.drop_index('outbox_position_pending', table_name='outbox', postgresql_where=sa.text('published_at IS NULL'))
    op.drop_table('outbox')
    op.drop_index('orders_reference_find', table_name='orders')
    op.drop_index('orders_recorded_at_order_id_list', table_name='orders')
    op.drop_table('orders')
    op.drop_index('notices_recorded_at_notice_id_list', table_name='notices')
    op.drop_index('notices_case_id_find', table_name='notices')
    op.drop_table('notices')
    op.drop_table('notice_policy_versions')
    op.drop_table('notice_policies')
    op.drop_index('notice_books_case_id_find', table_name='notice_books')
    op.drop_table('notice_books')
    op.drop_table('inbox')
    op.drop_index('impacts_recorded_at_impact_id_list', table_name='impacts')
    op.drop_index('impacts_cause_id_find', table_name='impacts')
    op.drop_table('impacts')
    op.drop_table('idempotency_keys')
    op.drop_table('effect_attempts')
    op.drop_table('dead_letters')
    op.drop_table('customers')
    op.drop_table('attempt_marks')
    op.drop_table('acts')
    op.execute("DROP FUNCTION refuse_rewriting()")
