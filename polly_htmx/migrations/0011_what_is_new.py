from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("polly_htmx", "0010_daily_caps")]

    operations = [
        migrations.AddField(
            model_name="queuedmessage",
            name="refusal",
            field=models.CharField(
                blank=True, default="", editable=False, max_length=40
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="smartconversation",
            name="has_new_answer",
            field=models.BooleanField(default=False, editable=False),
        ),
        migrations.AddField(
            model_name="message",
            name="thought_seconds",
            field=models.PositiveIntegerField(
                blank=True,
                editable=False,
                null=True,
                verbose_name="seconds of thought",
            ),
        ),
    ]
