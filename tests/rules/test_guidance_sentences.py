"""Every sentence by which the guidance shows a cue, and every look-alike beside it, category by category.

The rules must know all of them by their words: what a model sees counts in its own tests. A few sentences belong to
two categories; the one whose rule finds it stands behind them.
"""

import pytest
from judging import verdict_on, why

from gateway.model import Action

SIGNALS = {
    "romantic-advance": (
        "Would you let me take you to dinner once this is done?",
        "I felt a spark when you came in",
        "If I weren't the OIC I'd ask you out",
        "Fancy getting a bite to eat, just us?",
        "I can't get you out of my head",
        "Tell me if I've no chance",
        "I'd be a lucky man to have someone like you",
        "Any room in your life for a copper?",
    ),
    "sexual-content": (
        "Bet you look good out of that coat",
        "You'd be trouble in handcuffs ;)",
        "What are you wearing?",
        "Wish I was tucking you in",
        "I'd make it worth your while",
        "Been a bad girl, have we",
        "Naughty thoughts about you today",
        "Are you as flexible as you look",
    ),
    "appearance-compliment": (
        "You scrub up well",
        "Even upset you look stunning",
        "That dress on Monday, wow",
        "You've got gorgeous eyes",
        "Don't look old enough to have kids",
        "You were the best-looking person in that court",
        "Nice profile pic",
        "He was mad to let a looker like you go",
    ),
    "endearment": (
        "Morning sunshine",
        "Speak soon hun x",
        "Alright gorgeous",
        "Night night lovely xx",
        "Chin up babe",
        "😘",
        "😉 x",
        "My favourite witness",
        "Sweetheart, leave it with me",
        "Speak soon 😘",
        "See you then 😉 x",
    ),
    "private-channel": (
        "Here's my own mobile, save you ringing the nick",
        "WhatsApp me, I'm rubbish with this e-mail",
        "Drop me a line on my hotmail instead",
        "Signal is better for chatting",
        "Don't use this address, they read it",
        "What's your Insta or number, not the one on file",
        "Ring me on this one any time, day or night",
        "Let's take this off the work system",
    ),
    "secrecy": (
        "Best bin this once you've read it",
        "This stays between me and you",
        "No need to mention I came round",
        "My sarge would go spare if he saw this",
        "Don't put that in your statement about us chatting",
        "I know how to keep things quiet",
        "Off the record, I'd love to help you myself",
        "If anyone asks we only spoke about the case",
    ),
    "personal-disclosure": (
        "My wife and I are basically separated",
        "I've been through a nasty divorce so I get it",
        "Quiet house since the kids went to their mum's",
        "You're the only one I can talk to about this job",
        "I'm single again, for my sins",
        "Been a rough week, could do with a friend",
        "I had a drink and thought of you",
        "I was abused too, I never tell people that",
    ),
    "intrusive-question": (
        "Are you seeing anyone?",
        "So what's a girl like you doing on her own on a Saturday?",
        "Do you live by yourself?",
        "Got a type?",
        "Where do you go out?",
        "What gym do you use?",
        "Bet you've got blokes queuing?",
        "Do you ever get lonely in that flat?",
    ),
    "off-duty-contact": (
        "I finish at ten, could swing by yours",
        "Come to mine, I'll cook and talk you through it",
        "Off tomorrow, fancy a walk?",
        "I drive past yours anyway",
        "Coffee Saturday? Not police business",
        "I'll pop round on my own, no uniform",
        "Quick drink near the station after shift?",
        "Ring me when you can't sleep",
    ),
    "leverage": (
        "I'm the only one here who believes you",
        "Be nice and I'll chase forensics",
        "I went out on a limb, you owe me a drink",
        "Would hate for your case to go to the bottom of the pile",
        "I could make that caution disappear",
        "You don't want me as an enemy",
        "Messing me about won't speed things up",
        "Nobody else will look after you like I do",
    ),
    "gift-favour": (
        "Left a little something on your doorstep",
        "My treat",
        "I had a peek at his record for you, keep it quiet",
        "Got you a birthday card",
        "I'll lend you fifty till payday",
        "Can get you on the guest list",
        "Fixed it so you got a female interviewer, call it a favour",
    ),
    "persistence": (
        "Still no to that coffee then?",
        "You haven't replied, did I upset you?",
        "One drink won't hurt",
        "Why so quiet?",
        "I'll keep asking",
        "Thought about what I said?",
        "Is it because I'm police?",
        "Give me one reason",
    ),
    "social-media": (
        "Was that you on Tinder?",
        "Had a nosey at your Facebook",
        "Accept my request",
        "Loved your beach pics",
        "I'm @northern_lad on Insta",
        "Your stories make me laugh",
        "Snap me",
    ),
    "emotional-intimacy": (
        "I'll always be there for you",
        "We just get each other",
        "You're not like other victims",
        "I worry about you when I'm off",
        "You make this job worthwhile",
        "Feels like I've known you years",
        "Nobody's let you down like he did, I won't",
        "Missed our chats",
    ),
    "boundary-awareness": (
        "I probably shouldn't say this",
        "Tell me if I'm out of line",
        "Not very professional of me, I know",
        "Speaking as a man, not a policeman",
        "I could get in trouble for this",
        "Hope you don't think this is forward",
        "Ignore me if this is inappropriate",
    ),
    "photo-exchange": (
        "Send us a pic of your new hair",
        "Here's me at the Christmas do",
        "Show me the outfit before you go out",
        "Could do with a photo for my phone",
        "Bet you take a good selfie",
        "Put a face to the voice?",
    ),
    "complaint-shaping": (
        "You won't drop me in it, will you?",
        "Could you e-mail my sarge saying I've been great? I've put some words below",
        "Say I only came about the car",
        "If PSD ring, tell them we're just mates",
        "Please don't report this, my kids need my wage",
        "You'd tell them I've always been a gentleman, wouldn't you?",
        "No need for a complaint, we can sort it between us",
    ),
}
PROPER = {
    "romantic-advance": (
        "Are you free Tuesday to go over your statement?",
        "We'd like to take you through the court visit",
        "Can I take you to the ABE suite at 2?",
        "The suspect says he was in love with you",
        "Take care until Thursday",
        "I'd like to invite you to give a VPS\".",
    ),
    "sexual-content": (
        'statement/allegation wording ("he touched my breast over my clothing")',
        "offence names (rape, exposure, voyeurism)",
        "SARC, EME, swabs, underwear seized as exhibit JL/2",
        "sexual history will not be raised without leave (s.41)",
        'did he use a condom?" in an interview-planning list',
        "SHPO, revenge-porn advice",
        "safeguarding leaflets.",
    ),
    "appearance-compliment": (
        "You looked upset when we left, are you alright?",
        "please wear something smart and comfortable to court",
        'description for ID/CCTV ("slim build, red coat")',
        'injury photos ("bruising to left eye visible")',
        "You came across really well in the box",
    ),
    "endearment": (
        'Dear Ms ...", "Kind regards", "Take care", "Yours',
        "surname Love/Darling/Hunn, place names.",
    ),
    "private-channel": (
        "my work mobile is 07...",
        "signature block numbers, 101, switchboard, team mailbox",
        "Please upload your footage through the evidence link (NICE/Axon)",
        "Victim Support have web chat",
        "Is it safe to text this number?",
        "the suspect contacted you on WhatsApp/Telegram",
        'do you prefer e-mail or phone?" (Right 6 preferred method [S29])',
        "Teams/CVP court link",
        "interpreter line.",
    ),
    "secrecy": (
        "do not discuss your evidence with other witnesses",
        "please do not post about the case",
        'Private - to be opened by addressee only" (CPS rule [S30])',
        "reporting restrictions, lifelong anonymity",
        'protective markings, standard disclaimers ("if received in error, delete")',
        'keep your new address confidential".',
    ),
    "personal-disclosure": (
        "I'm on leave until the 14th, DC Khan will cover",
        "I'm on nights this week",
        "apologies, I've been off sick",
        "I have been a detective for 12 years",
        'one line of trained empathy ("I know this is hard")',
    ),
    "intrusive-question": (
        'DASH/DARA risk questions ("does he control your money?", "are you pregnant?", "do you live alone with the children?")',
        "needs assessment, special-measures questions",
        "ABE planning (health, medication, childcare)",
        "is there anyone who can stay with you tonight?",
        "relationship-to-suspect questions",
        "dates you cannot attend court",
        "compensation form income questions.",
    ),
    "off-duty-contact": (
        "I can call at your home at 6pm with DC Patel to take your statement",
        "coffee available at the witness suite",
        "I can give you a lift to court",
        "pre-trial visit, ID procedure (VIPER), property return",
        "out-of-hours arrest/bail call",
        "if he turns up ring 999",
        "FLO home visits with family present.",
    ),
    "leverage": (
        'if you do not provide a statement we may have to close the case" (true procedural consequence)',
        "you could be summonsed",
        "I can only progress this if the phone is examined",
        "I am your single point of contact",
        "failure to attend may lead to a warrant",
        "Goodyear/plea explanations",
        "advice that the *suspect* may threaten.",
    ),
    "gift-favour": (
        "Victims' fund, CICA, target-hardening kit, Ring doorbell scheme, alarm, travel expenses, food voucher via charity",
        "lift to court/refuge",
        "returning property",
        "disclosure under Clare's Law (DVDS) / Victim Contact Scheme",
    ),
    "persistence": (
        "I have tried to reach you twice about your statement; if I don't hear by Friday I'll assume you don't wish to proceed",
        "second/third court warning",
        "no reply needed",
        "VPS reminder",
        "welfare concern after missed DA contact (duty to try again; safe-contact rules).",
    ),
    "social-media": (
        "please preserve the Instagram messages he sent",
        "send the profile link of the account that threatened you",
        "block and report him",
        "force's official accounts",
        "do not search for the suspect online",
        "social-media exhibits.",
    ),
    "emotional-intimacy": (
        "we're here for you\" (team voice; real VAL text)",
        "thank you for your courage in giving evidence",
        "I'm sorry for your loss",
        "you are not alone, ISVA number below",
        'thinking of you and your family at this time" in condolence',
        "we will do our best for you",
        "FLO closing letter.",
    ),
    "boundary-awareness": (
        "I cannot discuss that, it would not be appropriate",
        "I'm not allowed to advise you on compensation",
        "this is outside my remit",
        "complaint/PSD letters",
        "I shouldn't pre-judge the CPS decision\".",
    ),
    "photo-exchange": (
        "please send photographs of the injuries/damage",
        "CCTV stills, ID images, proof of ownership",
        "photo of the number plate",
        "passport photo for CICA",
        "images for missing-person appeal.",
    ),
    "complaint-shaping": (
        "satisfaction survey links",
        "you can complain via...",
        'how to give feedback/thanks" page',
        'would you like to withdraw your complaint? This form explains your rights" (local resolution by PSD).',
    ),
}
ELSEWHERE = {"Let me sort that parking ticket": "leverage"}


@pytest.mark.parametrize(
    ("category", "sentence"), [(category, each) for category, all_ in SIGNALS.items() for each in all_]
)
def test_each_signal_of_the_guidance_is_found_by_its_words(category, sentence):
    """A rule of the category fires on the sentence by its words, with no model's help."""
    verdict = verdict_on(sentence)
    by_words = {found.category for found in verdict.findings if not found.rule.endswith(".by-language")}
    assert category in by_words, why(verdict)
    assert verdict.action is not Action.PASS


@pytest.mark.parametrize(("sentence", "category"), ELSEWHERE.items())
def test_a_favour_that_is_a_hold_over_somebody(sentence, category):
    """A favour that undoes a penalty is found as leverage, which weighs more."""
    verdict = verdict_on(sentence)
    assert category in {found.category for found in verdict.findings}, why(verdict)


@pytest.mark.parametrize("sentence", [each for all_ in PROPER.values() for each in all_])
def test_each_look_alike_of_the_guidance_passes(sentence):
    """What the guidance sets beside a cue as proper is delivered."""
    verdict = verdict_on(sentence)
    assert verdict.action is Action.PASS, why(verdict)


def test_all_seventeen_categories_are_in_the_table():
    """No category of the guidance is without its sentences."""
    assert len(SIGNALS) == len(PROPER) == 17
    assert all(len(each) >= 6 for each in SIGNALS.values())
