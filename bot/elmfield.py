"""Elmfield Primary: the invented school of the demo and of forms tried in the terminal."""

from __future__ import annotations

from data.school import School

ELMFIELD = School.model_validate(
    {
        "name": "Elmfield Primary",
        "phone": "0161 496 0000",
        "office_hours": "Mon-Fri 08:30-16:00",
        "send_window": "always",  # a demo is looked at in the evening too
        "people": {
            "senco": "Ms Patel",
            "dsl": "Mr Okafor",
            "deputy_dsl": "Mrs Lee",
            "head": "Mrs Ahmed",
            "chair": "Mr Jones",
        },
        "help": {"council_out_of_hours": "0161 496 0001", "sendiass": "0161 496 0002"},
        "languages": ["en"],
        "groups": ["Year 3 parents", "Year 4 parents", "SEND parents"],
    }
)
