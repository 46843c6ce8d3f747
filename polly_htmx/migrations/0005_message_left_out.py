from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("polly_htmx", "0004_parrot_fallbacks")]

    operations = [
        migrations.AddField(
            model_name="message",
            name="left_out",
            field=models.PositiveIntegerField(
                default=0,
                editable=False,
                help_text="Earlier messages that did not fit into the model's window.",
                verbose_name="left out",
            ),
        ),
    ]
